//! What a deployment adds to a template.

use std::collections::BTreeMap;

use crate::options::Options;

/// The last part of a stack's id.
const STACK_UUID: &str = "8f3c1b60-4a51-11ef-9d5e-0a1b2c3d4e5f";

/// Parameters, pseudo parameters and the names that resources get. The default is that of [`Options`], for a stack `berth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::Partition`.
    pub partition: String,
    /// `AWS::StackName`.
    pub stack: String,
    /// `AWS::URLSuffix`.
    pub url_suffix: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) physical: BTreeMap<String, String>,
    pub(super) attributes: BTreeMap<(String, String), String>,
    /// Whether attributes of custom resources that are not given are empty.
    pub(super) unmade: bool,
}

impl Names {
    /// The region and account of emulators, so that a policy's ARNs are those of their tables.
    pub fn of(options: &Options) -> Self {
        Self {
            region: options.region.clone(),
            account: options.account.clone(),
            partition: "aws".to_owned(),
            stack: "berth".to_owned(),
            url_suffix: "amazonaws.com".to_owned(),
            parameters: BTreeMap::new(),
            physical: BTreeMap::new(),
            attributes: BTreeMap::new(),
            unmade: false,
        }
    }

    /// `AWS::StackId`, the same for the same names.
    pub fn stack_id(&self) -> String {
        let Self { partition, region, account, stack, .. } = self;
        format!("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/{STACK_UUID}")
    }

    /// Says that custom resources are not made yet: what `Fn::GetAtt` answers for them is empty. For what has to be known of a
    /// function that makes them.
    #[must_use]
    pub fn before_custom_resources(mut self) -> Self {
        self.unmade = true;
        self
    }

    /// Gives a parameter a value in place of its default.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Gives the resource of a logical id its physical name, in place of the one that the template says.
    #[must_use]
    pub fn physical(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.physical.insert(id.into(), name.into());
        self
    }

    /// Says what `Fn::GetAtt` answers for a resource: the `FunctionUrl` of `RegistryFunctionUrl`.
    #[must_use]
    pub fn attribute(mut self, id: impl Into<String>, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert((id.into(), name.into()), value.into());
        self
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::of(&Options::default())
    }
}
