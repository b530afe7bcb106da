//! A distribution as a template deploys it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::behavior::{Behavior, Forwarding};
use super::distribution::Distribution;
use super::function::{EdgeFunction, EventType};
use super::origin::{Origin, bucket_policy};
use super::signed::PublicKey;
use super::{EdgeError, LoadError};
use crate::{Emulators, Names, Policy, Template, TemplateError};

/// CloudFront's managed policies ("Use managed cache policies", "Use managed origin request policies").
const CACHE_POLICIES: [&str; 2] = ["4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"];
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";
const ALL_VIEWER_EXCEPT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

/// CloudFront's default ("Response timeout").
const READ_TIMEOUT: u64 = 30;

/// The part of `AWS::CloudFront::Distribution` that is emulated. Of what else it has, nothing concerns the way of a request here:
/// names, TLS, caches, prices.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    origins: Vec<OriginConfig>,
    default_cache_behavior: BehaviorConfig,
    #[serde(default)]
    cache_behaviors: Vec<BehaviorConfig>,
    #[serde(default)]
    origin_groups: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OriginConfig {
    id: String,
    domain_name: String,
    #[serde(default)]
    origin_path: String,
    #[serde(default)]
    origin_custom_headers: Vec<HeaderConfig>,
    custom_origin_config: Option<ReadTimeout>,
    s3_origin_config: Option<ReadTimeout>,
    origin_access_control_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HeaderConfig {
    header_name: String,
    header_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadTimeout {
    origin_read_timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BehaviorConfig {
    path_pattern: Option<String>,
    target_origin_id: String,
    #[serde(default)]
    allowed_methods: Vec<String>,
    cache_policy_id: String,
    origin_request_policy_id: Option<String>,
    #[serde(default)]
    function_associations: Vec<Association>,
    #[serde(default)]
    trusted_key_groups: Vec<String>,
    #[serde(default, rename = "LambdaFunctionAssociations")]
    lambda_function_associations: Vec<Value>,
}

#[derive(Deserialize)]
struct Association {
    #[serde(rename = "EventType")]
    event_type: EventType,
    #[serde(rename = "FunctionARN")]
    function_arn: String,
}

/// A template with what a deployment adds, and the emulators that its bucket is in.
struct Deployment<'d> {
    template: &'d Template,
    names: &'d Names,
    emulators: &'d Emulators,
}

impl Distribution {
    /// The distribution of this logical id. Origins that are no bucket are where their `DomainName` says: give the function URL of
    /// `names` a local one ([`Names::attribute`]). The bucket's policy lets CloudFront do there what it says; the key value store
    /// has what the object of its `ImportSource` has now.
    ///
    /// # Errors
    /// [`EdgeError::Template`] for what of it is missing, wrong or not emulated; [`EdgeError::Function`], [`EdgeError::Key`],
    /// [`EdgeError::Policy`].
    pub fn deployed(template: &Template, id: &str, names: &Names, emulators: &Emulators) -> Result<Self, EdgeError> {
        let deployment = Deployment { template, names, emulators };
        let place = format!("Resources.{id}.Properties.DistributionConfig");
        let config = template.resource(id, names)?.get("DistributionConfig").cloned().unwrap_or_default();
        let config: Config = read(config, &place)?;
        if !config.origin_groups.is_null() {
            return Err(TemplateError::at(&place, "OriginGroups are not emulated").into());
        }
        let physical = template.reference(id, names)?;
        let arn = format!("arn:{}:cloudfront::{}:distribution/{physical}", names.partition, names.account);
        let default = deployment.behavior(config.default_cache_behavior, &format!("{place}.DefaultCacheBehavior"))?;
        let mut distribution = Self::new(default).named(physical, template.attribute(id, "DomainName", names)?);
        for behavior in config.cache_behaviors {
            let behavior = deployment.behavior(behavior, &format!("{place}.CacheBehaviors"))?;
            distribution = distribution.behavior(behavior);
        }
        for origin in config.origins {
            let place = format!("{place}.Origins.{}", origin.id);
            distribution = distribution.origin(deployment.origin(origin, &arn, &place)?);
        }
        Ok(distribution)
    }
}

impl Deployment<'_> {
    fn origin(&self, config: OriginConfig, distribution_arn: &str, place: &str) -> Result<Origin, EdgeError> {
        let (mut origin, timeout) = match (config.custom_origin_config, config.s3_origin_config) {
            (Some(custom), None) => {
                let url = format!("http://{}{}", config.domain_name, config.origin_path);
                (Origin::url(config.id, &url)?, custom.origin_read_timeout)
            }
            (None, Some(s3)) => {
                let bucket = self.emulators.s3().bucket();
                let name = config.domain_name.split(".s3.").next().unwrap_or_default();
                if name != bucket {
                    return Err(TemplateError::at(place, format!("{name} is not the bucket {bucket}")).into());
                }
                self.access_control(config.origin_access_control_id.as_deref(), place)?;
                let policy = self.policy(bucket, distribution_arn)?;
                let mut origin = Origin::bucket(config.id, self.emulators, policy)?;
                origin.path.push_str(&config.origin_path);
                (origin, s3.origin_read_timeout)
            }
            _ => return Err(TemplateError::at(place, "has neither CustomOriginConfig nor S3OriginConfig").into()),
        };
        for HeaderConfig { header_name, header_value } in config.origin_custom_headers {
            origin = origin.header(&header_name, &header_value);
        }
        Ok(origin.timeout(Duration::from_secs(timeout.unwrap_or(READ_TIMEOUT))))
    }

    /// Only access control that signs always is emulated.
    fn access_control(&self, id: Option<&str>, place: &str) -> Result<(), TemplateError> {
        let config = match id {
            Some(id) => self.find("AWS::CloudFront::OriginAccessControl", "Id", id, place)?.1,
            None => Value::Null,
        };
        let config = config.get("OriginAccessControlConfig").unwrap_or(&Value::Null);
        let is = |name: &str, wanted: &str| config.get(name).and_then(Value::as_str) == Some(wanted);
        if is("SigningBehavior", "always")
            && is("SigningProtocol", "sigv4")
            && is("OriginAccessControlOriginType", "s3")
        {
            return Ok(());
        }
        Err(TemplateError::at(place, "has no origin access control of type s3 that signs always"))
    }

    /// What the policy of the template for this bucket lets CloudFront do; without one, nothing.
    fn policy(&self, bucket: &str, distribution_arn: &str) -> Result<Policy, EdgeError> {
        for id in self.template.resources("AWS::S3::BucketPolicy", self.names)? {
            let properties = self.template.resource(&id, self.names)?;
            if properties.get("Bucket").and_then(Value::as_str) == Some(bucket) {
                let document = properties.get("PolicyDocument").unwrap_or(&Value::Null);
                return Ok(bucket_policy(document, distribution_arn)?);
            }
        }
        Ok(Policy::default())
    }

    fn behavior(&self, config: BehaviorConfig, place: &str) -> Result<Behavior, EdgeError> {
        let wrong = |fault: String| TemplateError::at(place, fault);
        let mut behavior = Behavior::to(config.target_origin_id).methods([Method::GET, Method::HEAD]);
        if let Some(pattern) = config.path_pattern {
            behavior = behavior.path(pattern);
        }
        if !config.lambda_function_associations.is_empty() {
            return Err(wrong("LambdaFunctionAssociations are not emulated".to_owned()).into());
        }
        if !config.allowed_methods.is_empty() {
            let methods = config.allowed_methods.iter().map(|method| Method::from_bytes(method.as_bytes()));
            let methods = methods.collect::<Result<Vec<_>, _>>().map_err(|_| wrong("has no method".to_owned()))?;
            behavior = behavior.methods(methods);
        }
        if !CACHE_POLICIES.contains(&config.cache_policy_id.as_str()) {
            return Err(wrong(format!("the cache policy {} is not emulated", config.cache_policy_id)).into());
        }
        behavior = behavior.forwarding(match config.origin_request_policy_id.as_deref() {
            None => Forwarding::Nothing,
            Some(ALL_VIEWER) => Forwarding::All,
            Some(ALL_VIEWER_EXCEPT_HOST) => Forwarding::AllExceptHost,
            Some(other) => return Err(wrong(format!("the origin request policy {other} is not emulated")).into()),
        });
        for Association { event_type, function_arn } in config.function_associations {
            behavior = behavior.on(event_type, self.function(&function_arn, place)?);
        }
        let mut signers = Vec::new();
        for group in config.trusted_key_groups {
            signers.extend(self.keys(&group, place)?);
        }
        Ok(behavior.signers(signers))
    }

    /// The resource of a type whose attribute has this value: its logical id and its properties.
    fn find(&self, kind: &str, attribute: &str, value: &str, place: &str) -> Result<(String, Value), TemplateError> {
        for id in self.template.resources(kind, self.names)? {
            if self.template.attribute(&id, attribute, self.names)? == value {
                let properties = self.template.resource(&id, self.names)?;
                return Ok((id, properties));
            }
        }
        Err(TemplateError::at(place, format!("{value} is not one of the template's ({kind})")))
    }

    fn function(&self, arn: &str, place: &str) -> Result<EdgeFunction, EdgeError> {
        let (id, properties) = self.find("AWS::CloudFront::Function", "FunctionARN", arn, place)?;
        let place = format!("Resources.{id}.Properties");
        let wrong = |fault: &str| TemplateError::at(&place, fault);
        let code =
            properties.get("FunctionCode").and_then(Value::as_str).ok_or_else(|| wrong("has no FunctionCode"))?;
        let runtime = properties.pointer("/FunctionConfig/Runtime").and_then(Value::as_str);
        if runtime != Some("cloudfront-js-2.0") {
            return Err(wrong("its Runtime is not cloudfront-js-2.0").into());
        }
        let mut function = EdgeFunction::load(code).map_err(|error| match error {
            LoadError::Code(reason) => LoadError::Code(format!("{place}.FunctionCode: {reason}")),
            other => other,
        })?;
        let store = properties.pointer("/FunctionConfig/KeyValueStoreAssociations/0/KeyValueStoreARN");
        if let Some(arn) = store.and_then(Value::as_str) {
            function = function.keys(self.entries(arn, &place)?);
        }
        Ok(function)
    }

    /// What a key value store imports ("File format for key-value pairs").
    fn entries(&self, arn: &str, place: &str) -> Result<BTreeMap<String, String>, TemplateError> {
        #[derive(Deserialize)]
        struct Import {
            data: Vec<Pair>,
        }
        #[derive(Deserialize)]
        struct Pair {
            key: String,
            value: String,
        }
        let (id, properties) = self.find("AWS::CloudFront::KeyValueStore", "Arn", arn, place)?;
        let place = format!("Resources.{id}.Properties.ImportSource");
        let Some(source) = properties.get("ImportSource") else { return Ok(BTreeMap::new()) };
        let arn = source.get("SourceArn").and_then(Value::as_str).unwrap_or_default();
        let bucket = self.emulators.s3().bucket();
        let key = arn.split_once(":s3:::").and_then(|(_, path)| path.strip_prefix(bucket)?.strip_prefix('/'));
        let key = key.ok_or_else(|| TemplateError::at(&place, format!("{arn} is no object of {bucket}")))?;
        let object = self.emulators.s3().read(key);
        let object = object.ok_or_else(|| TemplateError::at(&place, format!("there is no object {key}")))?;
        let import: Import = serde_json::from_slice(&object).map_err(|error| {
            TemplateError::at(&place, format!("{key} is not of the form that is imported: {error}"))
        })?;
        Ok(import.data.into_iter().map(|Pair { key, value }| (key, value)).collect())
    }

    fn keys(&self, group: &str, place: &str) -> Result<Vec<PublicKey>, EdgeError> {
        let (id, properties) = self.find("AWS::CloudFront::KeyGroup", "Id", group, place)?;
        let place = format!("Resources.{id}.Properties.KeyGroupConfig.Items");
        let items = properties.pointer("/KeyGroupConfig/Items").and_then(Value::as_array).into_iter().flatten();
        let mut keys = Vec::new();
        for item in items.filter_map(Value::as_str) {
            let (_, properties) = self.find("AWS::CloudFront::PublicKey", "Id", item, &place)?;
            let pem = properties.pointer("/PublicKeyConfig/EncodedKey").and_then(Value::as_str).unwrap_or_default();
            keys.push(PublicKey::parse(item, pem)?);
        }
        Ok(keys)
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value, place: &str) -> Result<T, TemplateError> {
    serde_json::from_value(value).map_err(|error| TemplateError::at(place, error.to_string()))
}
