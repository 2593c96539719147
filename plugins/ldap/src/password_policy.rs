//! The password policy's control (draft-behera-ldap-password-policy), as OpenLDAP, 389 Directory Server and others add it to an answer.

use ldap3_lber::common::TagClass;
use ldap3_lber::structure::{PL, StructureTag};

use crate::protocol::{self, Control};
use crate::{ber, session::Answer};

/// The control's name.
const OID: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// What the policy has to say against a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objection {
    Expired,
    Locked,
    MustChange,
    NotAllowed,
    MustSupplyOld,
    TooWeak,
    TooShort,
    TooYoung,
    UsedBefore,
}

/// What the policy objects to. A control that cannot be read objects to nothing: the answer's code decides.
pub(crate) fn objection(answer: &Answer) -> Option<Objection> {
    answer
        .controls
        .iter()
        .filter(|control| control.oid == OID)
        .find_map(read)
}

/// `SEQUENCE { warning [0] CHOICE { .. } OPTIONAL, error [1] ENUMERATED { .. } OPTIONAL }`
fn read(control: &Control) -> Option<Objection> {
    let value = control.value.as_deref()?;
    ber::check(value).ok()?;
    let parts = protocol::parse(value).ok()?.expect_constructed()?;
    let is_error = |tag: &StructureTag| tag.class == TagClass::Context && tag.id == 1;
    let PL::P(number) = parts.into_iter().find(is_error)?.payload else {
        return None;
    };
    Some(match number.as_slice() {
        [0] => Objection::Expired,
        [1] => Objection::Locked,
        [2] => Objection::MustChange,
        [3] => Objection::NotAllowed,
        [4] => Objection::MustSupplyOld,
        [5] => Objection::TooWeak,
        [6] => Objection::TooShort,
        [7] => Objection::TooYoung,
        [8] => Objection::UsedBefore,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(value: &[u8]) -> Control {
        Control {
            oid: OID.to_owned(),
            value: Some(value.to_vec()),
        }
    }

    #[test]
    fn the_error_is_read_with_and_without_a_warning() {
        assert_eq!(read(&control(&[0x30, 3, 0x81, 1, 1])), Some(Objection::Locked));
        let warned = [0x30, 8, 0xa0, 3, 0x81, 1, 5, 0x81, 1, 2];
        assert_eq!(read(&control(&warned)), Some(Objection::MustChange));
        assert_eq!(read(&control(&[0x30, 5, 0xa0, 3, 0x80, 1, 9])), None);
        assert_eq!(read(&control(&[0x30, 0])), None);
    }

    #[test]
    fn what_cannot_be_read_objects_to_nothing() {
        for value in [
            &[][..],
            &[0x30],
            &[0x30, 9],
            &[0x30, 3, 0x81, 1, 99],
            &[0x30, 4, 0x81, 2, 0, 1],
            &[0x04, 0],
        ] {
            assert_eq!(read(&control(value)), None, "{value:x?}");
        }
    }
}
