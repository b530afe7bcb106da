//! CloudFront before the registry, where the template has it.

use std::path::Path;

use berth_local::edge::{Distribution, Edge, EdgeError, EdgeOptions};
use berth_local::lambda::{Door, Function};
use berth_local::{CustomResource, CustomResourceError, Emulators, Names, Template, TemplateError};

use super::deployment::{Described, REGISTRY};

/// The logical ids of the template.
const DISTRIBUTION: &str = "EdgeDistribution";
const SECRETS: &str = "EdgeSecrets";
const SECRETS_FUNCTION: &str = "EdgeSecretsFunction";

/// What remains to be deployed once there are emulators: the secrets, the registry that knows them, and the distribution.
#[derive(Debug)]
pub(crate) struct Plan {
    file: String,
    template: Template,
    names: Names,
}

/// Why there is no edge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}: {1}")]
    Template(String, #[source] TemplateError),
    #[error("{SECRETS}: {0}")]
    Secrets(#[from] CustomResourceError),
    #[error("the edge: {0}")]
    Edge(#[from] EdgeError),
}

impl Plan {
    pub(crate) fn new(file: &Path, template: Template, names: Names) -> Self {
        Self { file: file.display().to_string(), template, names }
    }

    fn refused(&self, error: TemplateError) -> Error {
        Error::Template(self.file.clone(), error)
    }

    /// The function that makes the secrets.
    pub(crate) fn maker(&self) -> Result<Described, Error> {
        let function = self.template.function(SECRETS_FUNCTION, &self.names.clone().before_custom_resources());
        function.map(Described::from).map_err(|error| self.refused(error))
    }

    /// Has the secrets made.
    pub(crate) async fn make(&mut self, maker: &Function) -> Result<(), Error> {
        let properties = self.template.resource(SECRETS, &self.names).map_err(|error| self.refused(error))?;
        let mut secrets =
            CustomResource::new(SECRETS, format!("Custom::{SECRETS}"), properties).stack(self.names.stack_id());
        let made = secrets.create(maker).await?;
        for (name, value) in made.data {
            self.names = self.names.clone().attribute(SECRETS, name, value);
        }
        Ok(())
    }

    /// The registry, which knows the secrets now.
    pub(crate) fn registry(&self) -> Result<Described, Error> {
        let function = self.template.function(REGISTRY, &self.names);
        function.map(Described::from).map_err(|error| self.refused(error))
    }

    /// Opens CloudFront before the function's door.
    pub(crate) fn open(&self, door: &Door, emulators: &Emulators, options: EdgeOptions) -> Result<Edge, Error> {
        let url = format!("{}/", door.url());
        let id = self.template.function_url(REGISTRY, &self.names).map_err(|error| self.refused(error))?;
        let names = self.names.clone().attribute(id, "FunctionUrl", url);
        let distribution = Distribution::deployed(&self.template, DISTRIBUTION, &names, emulators)?;
        Ok(Edge::start(distribution, options)?)
    }
}
