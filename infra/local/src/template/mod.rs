//! Reads what a SAM or CloudFormation template deploys: a function's environment and its role's policies, any resource's
//! properties.
//!
//! Resolves intrinsic functions as CloudFormation would for one set of parameters and names ("Intrinsic function reference",
//! AWS CloudFormation Template Reference). Deploys nothing, and of what it does not understand it says where it stands.

mod condition;
mod error;
mod function;
mod globals;
mod names;
mod parameter;
mod resolver;
mod resource;
mod sub;

pub use error::TemplateError;
pub use function::Function;
pub use names::Names;

use std::path::Path;

use serde_json::Value;

use resolver::Resolver;

/// A template, before any parameter is known.
///
/// ```
/// # fn main() -> Result<(), berth_local::TemplateError> {
/// let template = berth_local::Template::parse("Resources: {Role: {Type: AWS::IAM::Role}}")?;
/// let names = berth_local::Names::default();
/// assert!(template.function("RegistryFunction", &names).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Template(Value);

impl Template {
    /// Reads a file of YAML.
    ///
    /// # Errors
    /// [`TemplateError`] when it cannot be read, and those of [`Template::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TemplateError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| TemplateError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads YAML in which intrinsic functions are written in full (`Ref:`, `Fn::Sub:`).
    ///
    /// # Errors
    /// [`TemplateError::Yaml`] when it is not YAML, has a key twice, or has tags (`!Ref`).
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let options = serde_saphyr::options! { with_snippet: false, reject_unsupported_tags: true };
        let root = serde_saphyr::from_str_with_options(text, options);
        root.map(Self).map_err(|error| TemplateError::Yaml(error.to_string()))
    }

    /// What is deployed as the function of this logical id. Of parameters the type and `AllowedValues` are checked, not patterns
    /// and bounds; `Rules` are not looked at.
    ///
    /// # Errors
    /// [`TemplateError`] for whatever of it is missing, wrong or not understood: nothing is passed over.
    pub fn function(&self, id: &str, names: &Names) -> Result<Function, TemplateError> {
        let resolver = Resolver::new(&self.0, names);
        resolver.check_parameters()?;
        Function::of(&resolver, id)
    }

    /// The properties of the resource of this logical id, as they are deployed; of a function without those of `Globals`.
    ///
    /// # Errors
    /// As [`Template::function`].
    pub fn resource(&self, id: &str, names: &Names) -> Result<Value, TemplateError> {
        let resolver = Resolver::new(&self.0, names);
        resolver.check_parameters()?;
        resolver.properties(id)
    }

    /// Whether it has a parameter of this name.
    pub fn has_parameter(&self, name: &str) -> bool {
        self.0.get("Parameters").is_some_and(|parameters| parameters.get(name).is_some())
    }

    /// The logical ids of the resources of this type that are deployed.
    ///
    /// # Errors
    /// As [`Template::function`].
    pub fn resources(&self, kind: &str, names: &Names) -> Result<Vec<String>, TemplateError> {
        let resolver = Resolver::new(&self.0, names);
        let resources = self.0.get("Resources").and_then(Value::as_object).into_iter().flatten();
        let alike = resources.filter(|(_, resource)| resource.get("Type").and_then(Value::as_str) == Some(kind));
        let mut ids = Vec::new();
        for (id, resource) in alike {
            if resolver.is_deployed(id, resource)? {
                ids.push(id.clone());
            }
        }
        Ok(ids)
    }

    /// The logical id of a function's URL: that of the `AWS::Lambda::Url` whose `TargetFunctionArn` is the function, else of the
    /// one that SAM makes of the function's `FunctionUrlConfig`.
    ///
    /// # Errors
    /// As [`Template::function`].
    pub fn function_url(&self, function: &str, names: &Names) -> Result<String, TemplateError> {
        let targets = [self.reference(function, names)?, self.attribute(function, "Arn", names)?];
        for id in self.resources("AWS::Lambda::Url", names)? {
            let properties = self.resource(&id, names)?;
            let target = properties.get("TargetFunctionArn").and_then(Value::as_str).unwrap_or_default();
            if targets.iter().any(|one| one == target) {
                return Ok(id);
            }
        }
        Ok(format!("{function}Url"))
    }

    /// What `Ref` answers for a resource.
    ///
    /// # Errors
    /// As [`Template::function`].
    pub fn reference(&self, id: &str, names: &Names) -> Result<String, TemplateError> {
        Resolver::new(&self.0, names).resource_reference(id, &format!("Resources.{id}"))
    }

    /// What `Fn::GetAtt` answers for a resource.
    ///
    /// # Errors
    /// As [`Template::function`].
    pub fn attribute(&self, id: &str, attribute: &str, names: &Names) -> Result<String, TemplateError> {
        Resolver::new(&self.0, names).attribute(id, attribute, &format!("Resources.{id}"))
    }
}
