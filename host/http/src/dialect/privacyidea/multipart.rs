//! Forms in parts (RFC 7578). Files among them are no parameters.

use std::convert::Infallible;

use bytes::Bytes;
use multer::{Multipart, parse_boundary};
use serde_json::Value;

use super::params::{Params, ParamsError};

/// Adds what a body of this type says.
///
/// # Errors
/// [`ParamsError`].
pub(super) async fn read(kind: &str, body: &[u8], params: &mut Params) -> Result<(), ParamsError> {
    let boundary = parse_boundary(kind).map_err(|_| ParamsError::NoMultipart)?;
    let body = Bytes::copy_from_slice(body);
    let stream = futures::stream::iter([Ok::<_, Infallible>(body)]);
    let mut parts = Multipart::new(stream, boundary);
    while let Some(part) = parts.next_field().await.map_err(|_| ParamsError::NoMultipart)? {
        let name = part.name().map(str::to_owned);
        let is_file = part.file_name().is_some();
        let text = part.bytes().await.map_err(|_| ParamsError::NoMultipart)?;
        if let Some(name) = name
            && !is_file
        {
            let text = std::str::from_utf8(&text).map_err(|_| ParamsError::NoText)?;
            params.add(name, Value::String(text.to_owned()))?;
        }
    }
    Ok(())
}
