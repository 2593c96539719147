//! `time_zone`: the zone of dates that are local by a dialect's rules.

use jiff::tz::TimeZone;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;

/// The zone of this name, from the machine's database or else from the one built in; without a name the machine's own, or UTC where it
/// has none.
pub(super) fn check(raw: Option<&Spanned<String>>, source: &Source) -> Result<TimeZone, ConfigError> {
    let Some(raw) = raw else {
        return Ok(TimeZone::try_system().unwrap_or(TimeZone::UTC));
    };
    let name = raw.get_ref();
    TimeZone::get(name).map_err(|_| {
        let problem =
            format!("`{name}` is no time zone; write a name of the IANA database, `Europe/Paris` or `UTC` for example");
        source.refuse(raw.span(), problem)
    })
}
