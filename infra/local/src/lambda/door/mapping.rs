//! Response parameter mappings of an HTTP API's integration ("Transform API requests and responses for HTTP APIs").

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value;

use crate::{Names, Template, TemplateError};

/// Headers of the response that are overwritten with other headers of the function's response, by status code.
///
/// ```
/// use berth_local::lambda::ResponseParameters;
///
/// let mappings = ResponseParameters::default().overwrite(401, "www-authenticate", "x-berth-challenge");
/// assert!(mappings.is_ok());
/// assert!(ResponseParameters::default().overwrite(401, "content-length", "x-length").is_err(), "reserved");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseParameters(BTreeMap<u16, Vec<Mapping>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    destination: HeaderName,
    source: HeaderName,
}

/// A mapping that API Gateway refuses, or that is not emulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MappingError(String);

/// Headers that may not be mapped ("Reserved headers"). Names end in `*` where all that begin so are meant.
const RESERVED: [&str; 22] = [
    "access-control-*",
    "apigw-*",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-*",
    "x-amzn-*",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// `AWS::ApiGatewayV2::Integration ResponseParameterMap`, by status code.
type Configured = BTreeMap<String, ParameterList>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ParameterList {
    response_parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameter {
    destination: String,
    source: String,
}

impl ResponseParameters {
    /// Adds a mapping: responses with `status` have `header` overwritten with the value of `source`, when the function's
    /// response has that.
    ///
    /// # Errors
    /// [`MappingError`] for a status outside 200 to 599, a name that is not a header's, and a reserved header.
    pub fn overwrite(mut self, status: u16, header: &str, source: &str) -> Result<Self, MappingError> {
        if !(200..=599).contains(&status) {
            return Err(MappingError(format!("status {status} is not within 200 to 599")));
        }
        let mapping = Mapping { destination: name(header)?, source: name(source)? };
        self.0.entry(status).or_default().push(mapping);
        Ok(self)
    }

    /// Reads the property `ResponseParameters` of an `AWS::ApiGatewayV2::Integration`. Only `overwrite:header.NAME` with
    /// `$response.header.NAME` is emulated.
    ///
    /// # Errors
    /// [`MappingError`] for anything else.
    pub fn parse(property: &Value) -> Result<Self, MappingError> {
        let configured = Configured::deserialize(property).map_err(|error| MappingError(error.to_string()))?;
        let mut mappings = Self::default();
        for (status, ParameterList { response_parameters }) in configured {
            let code = status.parse().map_err(|_| MappingError(format!("{status} is not a status code")))?;
            for Parameter { destination, source } in response_parameters {
                let not_emulated = |what: &str| MappingError(format!("{status}: {what} is not emulated"));
                let header = destination.strip_prefix("overwrite:header.");
                let header = header.ok_or_else(|| not_emulated(&destination))?;
                let value = source.strip_prefix("$response.header.").ok_or_else(|| not_emulated(&source))?;
                mappings = mappings.overwrite(code, header, value)?;
            }
        }
        Ok(mappings)
    }

    /// The mappings of the one integration that a template deploys; none without an integration.
    ///
    /// # Errors
    /// [`TemplateError`] for several integrations, and for a mapping that is refused or not emulated.
    pub fn deployed(template: &Template, names: &Names) -> Result<Self, TemplateError> {
        let integrations = template.resources("AWS::ApiGatewayV2::Integration", names)?;
        let Some(id) = integrations.first() else { return Ok(Self::default()) };
        let place = format!("Resources.{id}.Properties.ResponseParameters");
        if integrations.len() > 1 {
            return Err(TemplateError::at(&place, "several integrations are not emulated"));
        }
        match template.resource(id, names)?.get("ResponseParameters") {
            Some(property) => Self::parse(property).map_err(|error| TemplateError::at(&place, error.to_string())),
            None => Ok(Self::default()),
        }
    }

    /// Changes the headers of a response with this status. `given` are those that the function returned. A source that is
    /// missing changes nothing, which AWS does not document.
    pub(super) fn apply(&self, status: u16, given: &HeaderMap, headers: &mut HeaderMap) {
        for Mapping { destination, source } in self.0.get(&status).into_iter().flatten() {
            if let Some(value) = given.get(source) {
                headers.insert(destination, value.clone());
            }
        }
    }
}

fn name(text: &str) -> Result<HeaderName, MappingError> {
    let name: HeaderName = text.parse().map_err(|_| MappingError(format!("{text:?} is not a header name")))?;
    let is_reserved = |reserved: &&str| match reserved.strip_suffix('*') {
        Some(prefix) => name.as_str().starts_with(prefix),
        None => name == **reserved,
    };
    if RESERVED.iter().any(is_reserved) {
        return Err(MappingError(format!("header {name} is reserved by API Gateway and cannot be mapped")));
    }
    Ok(name)
}
