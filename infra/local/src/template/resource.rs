//! `Ref` and `Fn::GetAtt` of resources ("AWS resource and property types reference", Return values).

use s3s::crypto::{Checksum as _, Sha256};
use serde_json::Value;

use super::error::TemplateError;
use super::resolver::{Resolver, arguments, literal, text};

impl<'t> Resolver<'t> {
    /// The resource of a logical id, which must be among what is deployed.
    pub(super) fn resource(&self, id: &str, place: &str) -> Result<&'t Value, TemplateError> {
        let resource = self.root.get("Resources").and_then(|resources| resources.get(id));
        let resource = resource.ok_or_else(|| TemplateError::at(place, format!("there is no resource {id}")))?;
        if self.is_deployed(id, resource)? {
            Ok(resource)
        } else {
            Err(TemplateError::at(place, format!("{id} is not deployed: its condition does not hold")))
        }
    }

    /// The properties of a resource, resolved.
    pub(super) fn properties(&self, id: &str) -> Result<Value, TemplateError> {
        let place = format!("Resources.{id}");
        let properties = self.resource(id, &place)?.get("Properties").unwrap_or(&Value::Null);
        Ok(self.value(properties, &format!("{place}.Properties"))?.unwrap_or_default())
    }

    pub(super) fn is_deployed(&self, id: &str, resource: &Value) -> Result<bool, TemplateError> {
        let place = format!("Resources.{id}.Condition");
        match resource.get("Condition") {
            Some(condition) => self.condition(literal(condition, &place)?, &place),
            None => Ok(true),
        }
    }

    /// What `Ref` answers for a resource: its physical name.
    pub(super) fn resource_reference(&self, id: &str, place: &str) -> Result<String, TemplateError> {
        let kind = self.kind(id, place)?;
        let by_name = name_property(kind).is_some() || is_identified(kind) || self.names.physical.contains_key(id);
        if by_name {
            return self.physical(id, kind);
        }
        Err(TemplateError::at(place, format!("what Ref answers for {id} ({kind}) is not known")))
    }

    /// `[id, attribute]` or `id.attribute`.
    pub(super) fn get_att(&self, argument: &Value, place: &str) -> Result<String, TemplateError> {
        let (id, attribute) = match argument.as_str().map(|dotted| dotted.split_once('.')) {
            Some(Some(pair)) => pair,
            Some(None) => return Err(TemplateError::at(place, "names no attribute")),
            None => {
                let [id, attribute] = arguments(argument, place)?;
                (literal(id, place)?, literal(attribute, place)?)
            }
        };
        self.attribute(id, attribute, place)
    }

    /// An attribute of a resource.
    pub(super) fn attribute(&self, id: &str, attribute: &str, place: &str) -> Result<String, TemplateError> {
        let kind = self.kind(id, place)?;
        if let Some(given) = self.names.attributes.get(&(id.to_owned(), attribute.to_owned())) {
            return Ok(given.clone());
        }
        if self.names.unmade && kind.starts_with("Custom::") {
            return Ok(String::new());
        }
        let name = self.physical(id, kind)?;
        let names = self.names;
        let (partition, region, account, suffix) = (&names.partition, &names.region, &names.account, &names.url_suffix);
        let arn = |service: &str, resource: &str| format!("arn:{partition}:{service}:{region}:{account}:{resource}");
        // CloudFront is in no region.
        let global = |resource: &str| format!("arn:{partition}:cloudfront::{account}:{resource}");
        Ok(match (kind, attribute) {
            ("AWS::CloudFront::Function", "FunctionARN" | "FunctionMetadata.FunctionARN") => {
                global(&format!("function/{name}"))
            }
            ("AWS::CloudFront::KeyValueStore", "Arn") => global(&format!("key-value-store/{name}")),
            ("AWS::CloudFront::Distribution", "DomainName") => format!("d{}.cloudfront.net", name.to_lowercase()),
            (kind, "Id") if is_identified(kind) => name,
            ("AWS::S3::Bucket", "Arn") => format!("arn:{partition}:s3:::{name}"),
            ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.{suffix}"),
            ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{region}.{suffix}"),
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{name}")),
            (FUNCTION | SAM_FUNCTION, "Arn") => arn("lambda", &format!("function:{name}")),
            ("AWS::IAM::Role", "Arn") => format!("arn:{partition}:iam::{account}:role/{name}"),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{name}:*")),
            ("AWS::Lambda::Url", "FunctionUrl") => {
                format!("https://{}.lambda-url.{region}.on.aws/", name.to_lowercase())
            }
            ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
                format!("https://{name}.execute-api.{region}.{suffix}")
            }
            _ => {
                return Err(TemplateError::at(place, format!("attribute {attribute} of {id} ({kind}) is not known")));
            }
        })
    }

    /// The type of a resource, also of the function URL that SAM makes of a function's `FunctionUrlConfig`.
    fn kind(&self, id: &str, place: &str) -> Result<&'t str, TemplateError> {
        if let Some(function) = id.strip_suffix("Url")
            && let Ok(resource) = self.resource(function, place)
            && resource.pointer("/Properties/FunctionUrlConfig").is_some()
        {
            return Ok("AWS::Lambda::Url");
        }
        let kind = self.resource(id, place)?.get("Type").and_then(Value::as_str);
        kind.ok_or_else(|| TemplateError::at(&format!("Resources.{id}"), "has no Type"))
    }

    /// The name that is given, the one that the template says, or one as CloudFormation would make it.
    pub(super) fn physical(&self, id: &str, kind: &str) -> Result<String, TemplateError> {
        if let Some(given) = self.names.physical.get(id) {
            return Ok(given.clone());
        }
        let resource = self.root.get("Resources").and_then(|resources| resources.get(id));
        let properties = resource.and_then(|resource| resource.get("Properties"));
        let said = name_property(kind).or_else(|| kind.starts_with("AWS::CloudFront::").then_some("Name"));
        let said = said.and_then(|property| Some((property, properties?.get(property)?)));
        if let Some((property, name)) = said {
            let place = format!("Resources.{id}.Properties.{property}");
            if let Some(name) = self.value(name, &place)? {
                return text(&name, &place);
            }
        }
        let made = format!("{}-{id}", self.names.stack);
        if is_identified(kind) {
            return Ok(identifier(kind, &made));
        }
        // Names of buckets and hosts have no upper case.
        Ok(if kind == "AWS::S3::Bucket" { made.to_lowercase() } else { made })
    }
}

const HTTP_API: &str = "AWS::ApiGatewayV2::Api";
pub(super) const FUNCTION: &str = "AWS::Lambda::Function";
pub(super) const SAM_FUNCTION: &str = "AWS::Serverless::Function";

/// Types whose `Ref` is an id that CloudFront or API Gateway makes.
fn is_identified(kind: &str) -> bool {
    if kind == HTTP_API {
        return true;
    }
    let kind = kind.strip_prefix("AWS::CloudFront::").unwrap_or_default();
    ["Distribution", "OriginAccessControl", "PublicKey", "KeyGroup"].contains(&kind)
}

/// An id as CloudFront and API Gateway make them, the same for the same name: letters and digits, at CloudFront after a letter
/// for the type.
fn identifier(kind: &str, name: &str) -> String {
    if kind == HTTP_API {
        return hex::encode(Sha256::checksum(name.as_bytes())).chars().take(10).collect();
    }
    let letter = if kind == "AWS::CloudFront::PublicKey" { 'K' } else { 'E' };
    let digits = hex::encode_upper(Sha256::checksum(name.as_bytes()));
    format!("{letter}{}", digits.get(..13).unwrap_or_default())
}

/// The property that names a resource of a type whose `Ref` is its name.
fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::S3::Bucket" => "BucketName",
        "AWS::DynamoDB::Table" => "TableName",
        FUNCTION | SAM_FUNCTION => "FunctionName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::CloudWatch::Alarm" => "AlarmName",
        _ => return None,
    })
}
