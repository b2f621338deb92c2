//! Requests and responses as frames: header and body, without the four-byte size that TCP needs.
//!
//! A request frame is a `RequestHeader` (version by API) and a body; a response frame is a
//! `ResponseHeader` and a body. `ApiVersions` responses always use header version 0 (KIP-511).

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, RequestKind, ResponseHeader, ResponseKind};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use thiserror::Error;

use crate::{body, shape, versions};

/// A decoded request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFrame {
    /// Which API.
    pub api_key: ApiKey,
    /// The version of header and body.
    pub api_version: i16,
    /// Chosen by the client, repeated in the response.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<StrBytes>,
    /// The request.
    pub body: RequestKind,
}

/// A decoded response.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseFrame {
    /// The request's correlation id.
    pub correlation_id: i32,
    /// The response.
    pub body: ResponseKind,
}

/// Why a frame cannot be read. A broker closes the connection on all of these but
/// [`FrameError::UnsupportedVersion`] of ApiVersions, which it answers with error 35.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// Shorter than a request header's fixed part.
    #[error("the frame of {0} bytes is too short for a header")]
    TooShort(usize),
    /// No API has this key.
    #[error("no API has the key {0}")]
    UnknownApi(i16),
    /// The API exists, the version is not spoken here.
    #[error("{api_key:?} version {api_version} is not supported")]
    UnsupportedVersion {
        /// Which API.
        api_key: ApiKey,
        /// The version that was asked for.
        api_version: i16,
        /// The request's correlation id.
        correlation_id: i32,
    },
    /// The header or the body does not decode.
    #[error("{0}")]
    Malformed(String),
}

impl RequestFrame {
    /// Reads a request frame. Any version that [`versions::supported`] holds is accepted.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn decode(frame: Bytes) -> Result<RequestFrame, FrameError> {
        if frame.len() < 8 {
            return Err(FrameError::TooShort(frame.len()));
        }
        let mut peek = &frame[..8];
        let raw_key = peek.get_i16();
        let api_version = peek.get_i16();
        let correlation_id = peek.get_i32();
        let api_key = ApiKey::try_from(raw_key).map_err(|()| FrameError::UnknownApi(raw_key))?;
        if !versions::supported(api_key).is_some_and(|range| range.contains(&api_version)) {
            return Err(FrameError::UnsupportedVersion {
                api_key,
                api_version,
                correlation_id,
            });
        }
        let mut rest = frame;
        let header = RequestHeader::decode(&mut rest, api_key.request_header_version(api_version))
            .map_err(|error| FrameError::Malformed(error.to_string()))?;
        if !shape::counts_hold(raw_key, api_version, &rest) {
            return Err(FrameError::Malformed(format!(
                "the body of {api_key:?} does not have the elements that it counts"
            )));
        }
        let body = body::decode_request(api_key, &mut rest, api_version)
            .ok_or(FrameError::UnknownApi(raw_key))?
            .map_err(FrameError::Malformed)?;
        Ok(RequestFrame {
            api_key,
            api_version,
            correlation_id: header.correlation_id,
            client_id: header.client_id,
            body,
        })
    }

    /// Writes a request frame.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when a field is set that this version cannot carry.
    pub fn encode(&self) -> Result<Bytes, FrameError> {
        let mut bytes = BytesMut::with_capacity(256);
        RequestHeader::default()
            .with_request_api_key(self.api_key as i16)
            .with_request_api_version(self.api_version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(self.client_id.clone())
            .encode(
                &mut bytes,
                self.api_key.request_header_version(self.api_version),
            )
            .map_err(|error| FrameError::Malformed(error.to_string()))?;
        body::encode_request(&self.body, &mut bytes, self.api_version)
            .ok_or(FrameError::UnknownApi(self.api_key as i16))?
            .map_err(FrameError::Malformed)?;
        Ok(bytes.freeze())
    }
}

impl ResponseFrame {
    /// Reads the response to a request of this API and version.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn decode(
        api_key: ApiKey,
        api_version: i16,
        frame: Bytes,
    ) -> Result<ResponseFrame, FrameError> {
        let mut rest = frame;
        let header =
            ResponseHeader::decode(&mut rest, api_key.response_header_version(api_version))
                .map_err(|error| FrameError::Malformed(error.to_string()))?;
        let body = body::decode_response(api_key, &mut rest, api_version)
            .ok_or(FrameError::UnknownApi(api_key as i16))?
            .map_err(FrameError::Malformed)?;
        Ok(ResponseFrame {
            correlation_id: header.correlation_id,
            body,
        })
    }

    /// Writes the response to a request of this API and version.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when a field is set that this version cannot carry.
    pub fn encode(&self, api_key: ApiKey, api_version: i16) -> Result<Bytes, FrameError> {
        let mut bytes = BytesMut::with_capacity(256);
        ResponseHeader::default()
            .with_correlation_id(self.correlation_id)
            .encode(&mut bytes, api_key.response_header_version(api_version))
            .map_err(|error| FrameError::Malformed(error.to_string()))?;
        body::encode_response(&self.body, &mut bytes, api_version)
            .ok_or(FrameError::UnknownApi(api_key as i16))?
            .map_err(FrameError::Malformed)?;
        Ok(bytes.freeze())
    }
}

/// The correlation id of a response frame, which stands first in every header version.
pub fn peek_correlation_id(frame: &[u8]) -> Option<i32> {
    frame.get(..4).map(|mut bytes| bytes.get_i32())
}
