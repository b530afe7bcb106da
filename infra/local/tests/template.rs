//! What a template gives its functions.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use berth_local::lambda::ResponseParameters;
use berth_local::{Emulators, Function, Names, Template, TemplateError};
use support::code;

const FIXTURE: &str = include_str!("fixtures/template.yaml");

fn names() -> Names {
    Names::default().parameter("Users", "me:hash")
}

fn registry(names: &Names) -> Function {
    Template::parse(FIXTURE).unwrap().function("RegistryFunction", names).unwrap()
}

/// What is said of the fixture after a change.
fn refusal(from: &str, to: &str) -> String {
    assert!(FIXTURE.contains(from), "{from}");
    let template = Template::parse(&FIXTURE.replace(from, to));
    template.and_then(|template| template.function("RegistryFunction", &names())).unwrap_err().to_string()
}

#[test]
fn a_function_has_its_own_properties_over_the_global_ones() {
    let function = registry(&names());
    assert_eq!((function.name.as_str(), function.handler.as_str()), ("berth-registry", "registry"));
    assert_eq!((function.timeout, function.memory_mb), (Duration::from_secs(30), 512));
    assert_eq!(function.environment["REGISTRY_LOG_FORMATTER"], "json");
    assert_eq!(function.environment["OVERRIDDEN"], "own");
    assert_eq!(function.role, "RegistryRole");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/template.yaml");
    let maintenance = Template::read(path).unwrap().function("MaintenanceFunction", &names()).unwrap();
    assert_eq!((maintenance.timeout, maintenance.memory_mb), (Duration::from_secs(3), 256));
    assert_eq!(maintenance.managed_policies, ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]);
    assert_eq!(
        maintenance.environment["LOG_GROUP"],
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/berth-registry:*"
    );
}

#[test]
fn the_environment_is_resolved() {
    let environment = registry(&names()).environment;
    for (name, value) in [
        ("REGISTRY_STORAGE_S3_BUCKET", "berth-123456789012-images"),
        ("REGISTRY_STORAGE_S3_ROOTDIRECTORY", ""),
        ("REGISTRY_DYNAMODB_TABLE", "berth-Table"),
        ("REGISTRY_AUTH_HTPASSWD_USERS", "me:hash"),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
        ("REGISTRY_LOG_LEVEL", "info"),
        ("NUMBER", "7"),
        ("JOINED", "us-east-1-x"),
        ("SUBSTITUTED", "amazonaws.com ${Literal} arn:aws:dynamodb:us-east-1:123456789012:table/berth-Table aws"),
        ("EITHER", "yes"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(!environment.contains_key("REGISTRY_HTTP_HOST"), "AWS::NoValue takes it away");
}

#[test]
fn parameters_choose_branches_and_names_replace_names() {
    let names = names().parameter("ExistingBucket", "mine").parameter("Root", "images").parameter("LogLevel", "debug");
    let function = registry(&names.physical("Table", "rows").physical("RegistryFunction", "f"));
    for (name, value) in [
        ("REGISTRY_STORAGE_S3_BUCKET", "mine"),
        ("REGISTRY_STORAGE_S3_ROOTDIRECTORY", "images"),
        ("REGISTRY_DYNAMODB_TABLE", "rows"),
        ("REGISTRY_HTTP_HOST", "b.example"),
        ("REGISTRY_LOG_LEVEL", "debug"),
    ] {
        assert_eq!(function.environment[name], value, "{name}");
    }
    assert_eq!(function.name, "f");
}

#[test]
fn an_attribute_is_what_the_caller_says() {
    let text = FIXTURE.replace(
        "EITHER:\n            Fn::If: [MakesOrRoot, \"yes\", \"no\"]",
        "URL: { Fn::GetAtt: [MaintenanceFunctionUrl, FunctionUrl] }",
    );
    let text =
        text.replace("Handler: maintenance", "Handler: maintenance\n      FunctionUrlConfig: { AuthType: NONE }");
    let template = Template::parse(&text).unwrap();
    let url = |names: &Names| template.function("RegistryFunction", names).unwrap().environment["URL"].clone();
    assert_eq!(url(&names()), "https://berth-maintenancefunctionurl.lambda-url.us-east-1.on.aws/");
    let given = names().attribute("MaintenanceFunctionUrl", "FunctionUrl", "http://127.0.0.1:9/");
    assert_eq!(url(&given), "http://127.0.0.1:9/");
}

#[tokio::test]
async fn emulators_hold_the_function_to_its_role() {
    let emulators = Emulators::start().await.unwrap();
    let options = emulators.options();
    let names = Names::of(options).parameter("Users", "").parameter("Root", "images");
    let function = registry(&names.physical("Bucket", &options.bucket).physical("Table", &options.table));
    emulators.add_identity(function.identity());
    let identity = function.identity();
    let s3 = support::s3(&emulators, &identity.access_key, &identity.secret_key);
    let put = |key: &str| s3.put_object().bucket(&options.bucket).key(key).send();
    put("images/docker/registry/v2/a").await.unwrap();
    assert_eq!(code(put("docker/registry/v2/a").await), "AccessDenied");
    let head = s3.head_object().bucket(&options.bucket).key("images/docker/registry/v2/b").send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let dynamodb = support::dynamodb(&emulators, &identity.access_key, &identity.secret_key);
    let get = dynamodb.get_item().table_name(&options.table).key("pk", text("a")).key("sk", text("b"));
    get.send().await.unwrap();
    assert!(emulators.unused().is_empty(), "{:?}", emulators.unused());
}

#[test]
fn without_the_bucket_what_belongs_to_it_is_gone() {
    let with = registry(&names()).policy;
    let without = registry(&names().parameter("ExistingBucket", "mine")).policy;
    assert_ne!(format!("{with:?}").contains("Missing"), format!("{without:?}").contains("Missing"));
}

#[test]
fn a_deployment_without_its_parameters_fails() {
    let template = Template::parse(FIXTURE).unwrap();
    let fault = |names: &Names| template.function("RegistryFunction", names).unwrap_err().to_string();
    assert_eq!(fault(&Names::default()), "Parameters.Users: has no default and is not given");
    assert_eq!(fault(&names().parameter("User", "x")), "Parameters: there is no parameter User");
    assert_eq!(fault(&names().parameter("LogLevel", "all")), "Parameters.LogLevel: all is none of debug, info, warn");
    assert_eq!(fault(&names().parameter("Timeout", "long")), "Parameters.Timeout: long is not a number");
}

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    let registry = "Resources.RegistryFunction";
    let variable = |name: &str| format!("{registry}.Properties.Environment.Variables.{name}");
    let role = "Resources.RegistryRole.Properties.Policies[0]";
    for (from, to, fault) in [
        (
            "NUMBER: 7",
            "NUMBER: { Fn::ImportValue: x }",
            format!("{}.Fn::ImportValue: is not supported", variable("NUMBER")),
        ),
        ("NUMBER: 7", "NUMBER: { Ref: Absent }", format!("{}.Ref: there is no resource Absent", variable("NUMBER"))),
        (
            "NUMBER: 7",
            "NUMBER: { Ref: Root, Other: 1 }",
            format!("{}: Ref stands beside other keys", variable("NUMBER")),
        ),
        ("NUMBER: 7", "NUMBER: [1]", format!("{}: is not a string", variable("NUMBER"))),
        (
            "NUMBER: 7",
            "NUMBER: { Fn::GetAtt: [Table, StreamArn] }",
            format!(
                "{}.Fn::GetAtt: attribute StreamArn of Table (AWS::DynamoDB::Table) is not known",
                variable("NUMBER")
            ),
        ),
        (
            "NUMBER: 7",
            "NUMBER: { Fn::Select: [2, [a]] }",
            format!("{}.Fn::Select: there is no item 2", variable("NUMBER")),
        ),
        (
            "NUMBER: 7",
            "NUMBER: { Fn::Sub: \"${Root\" }",
            format!("{}.Fn::Sub: has a ${{ without its }}", variable("NUMBER")),
        ),
        ("[MakesOrRoot,", "[Absent,", format!("{}.Fn::If: there is no condition Absent", variable("EITHER"))),
        ("Handler: registry\n", "X: y\n", format!("{registry}.Properties: has no Handler")),
        ("Timeout: { Ref: Timeout }", "Timeout: 1.5", format!("{registry}.Properties.Timeout: is not a whole number")),
        (
            "Fn::GetAtt: [RegistryRole, Arn]",
            "Ref: LogLevel",
            format!("{registry}.Properties.Role: info is not a role of the template"),
        ),
        (
            "Action: dynamodb:GetItem",
            "NotAction: dynamodb:GetItem",
            format!("{role}: statement Cache: Action is missing"),
        ),
        (
            "Type: CommaDelimitedList",
            "Type: AWS::SSM::Parameter::Value<String>",
            "Parameters.Domains: its type is not supported".to_owned(),
        ),
        (
            "Condition: HasRoot\n",
            "Condition: AdoptsWithRoot\n",
            "Conditions.AdoptsWithRoot.Fn::And.Condition: refers to itself".to_owned(),
        ),
        (
            "  Logs:\n",
            "  More: { Type: AWS::IAM::Policy }\n  Logs:\n",
            "Resources.More: AWS::IAM::Policy is not read".to_owned(),
        ),
        (
            "AssumeRolePolicyDocument: {}\n",
            "PermissionsBoundary: x\n",
            "Resources.RegistryRole.Properties: PermissionsBoundary is not evaluated".to_owned(),
        ),
    ] {
        assert_eq!(refusal(from, to), fault, "{to}");
    }
    let absent = Template::parse(FIXTURE).unwrap().function("Table", &names()).unwrap_err().to_string();
    assert_eq!(absent, "Resources.Table: is not a function");
}

#[test]
fn a_resource_that_is_not_deployed_cannot_be_referred_to() {
    let text = FIXTURE.replace("NUMBER: 7", "NUMBER: { Ref: Bucket }");
    let names = names().parameter("ExistingBucket", "mine");
    let said = Template::parse(&text).unwrap().function("RegistryFunction", &names).unwrap_err().to_string();
    assert!(said.ends_with("Bucket is not deployed: its condition does not hold"), "{said}");
}

#[test]
fn yaml_is_plain() {
    for (from, to) in [
        ("NUMBER: 7", "NUMBER: !Ref Root"),
        ("NUMBER: 7", "NUMBER: 7\n          NUMBER: 8"),
        ("NUMBER: 7", "NUMBER: ["),
    ] {
        assert!(matches!(Template::parse(&FIXTURE.replace(from, to)), Err(TemplateError::Yaml(_))), "{to}");
    }
    assert!(matches!(Template::read("absent.yaml"), Err(TemplateError::Read { .. })));
}

#[test]
fn any_resource_is_resolved_and_cloudfronts_have_ids_of_their_own() {
    let template = Template::parse(include_str!("fixtures/edge.yaml")).unwrap();
    let names = Names::default();
    let early = names.clone().before_custom_resources();
    let properties = template.resource("EdgeDistribution", &early).unwrap();
    let id = template.reference("EdgeDistribution", &names).unwrap();
    assert!(id.len() == 14 && id.starts_with('E') && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
    assert_ne!(template.reference("EdgeBucketAccess", &names).unwrap(), id);
    assert_eq!(
        template.attribute("EdgeDistribution", "DomainName", &names).unwrap(),
        format!("d{}.cloudfront.net", id.to_lowercase())
    );
    let function = &properties["DistributionConfig"]["DefaultCacheBehavior"]["FunctionAssociations"][1]["FunctionARN"];
    assert_eq!(function, "arn:aws:cloudfront::123456789012:function/edge");
    assert_eq!(properties["DistributionConfig"]["Origins"][0]["OriginCustomHeaders"][0]["HeaderValue"], "");
    let refused = template.resource("EdgeDistribution", &names).unwrap_err().to_string();
    assert!(refused.contains("OriginSecret of EdgeSecrets"), "{refused}");
    let made = names.clone().attribute("EdgeSecrets", "OriginSecret", "made");
    let properties = template.resource("EdgeDistribution", &made).unwrap();
    assert_eq!(properties["DistributionConfig"]["Origins"][0]["OriginCustomHeaders"][0]["HeaderValue"], "made");
    assert_eq!(template.resources("AWS::CloudFront::Function", &names).unwrap(), ["EdgeFunction"]);
    let without = names.parameter("Front", "http-api");
    assert!(template.resources("AWS::CloudFront::Function", &without).unwrap().is_empty(), "its condition");
}

#[test]
fn front_ends_are_found_whatever_their_ids() {
    let template = Template::parse(include_str!("fixtures/edge.yaml")).unwrap();
    assert!(template.has_parameter("Front") && !template.has_parameter("Edge"));
    let names = Names::default();
    assert_eq!(template.function_url("RegistryFunction", &names).unwrap(), "FunctionUrl");
    assert_eq!(template.function_url("MaintenanceFunction", &names).unwrap(), "MaintenanceFunctionUrl", "SAM's");
    let url = template.attribute("FunctionUrl", "FunctionUrl", &names).unwrap();
    assert!(url.starts_with("https://") && url.ends_with(".lambda-url.us-east-1.on.aws/"), "{url}");
    let here = names.clone().attribute("FunctionUrl", "FunctionUrl", "http://127.0.0.1:1/");
    let secrets = here.attribute("EdgeSecrets", "OriginSecret", "made");
    let distribution = template.resource("EdgeDistribution", &secrets).unwrap();
    assert_eq!(distribution["DistributionConfig"]["Origins"][0]["DomainName"], "127.0.0.1:1");
    assert_eq!(template.resource("EdgeSecrets", &names).unwrap()["Stack"], names.stack_id());

    assert_eq!(ResponseParameters::deployed(&template, &names).unwrap(), ResponseParameters::default());
    let api = names.parameter("Front", "http-api");
    let expected = ResponseParameters::default().overwrite(401, "www-authenticate", "x-berth-challenge").unwrap();
    assert_eq!(ResponseParameters::deployed(&template, &api).unwrap(), expected);
    let id = template.resource("HttpApiIntegration", &api).unwrap()["ApiId"].clone();
    assert_eq!(id.as_str().map(str::len), Some(10));
    let reserved = include_str!("fixtures/edge.yaml").replace("header.www-authenticate", "header.via");
    let refused = ResponseParameters::deployed(&Template::parse(&reserved).unwrap(), &api).unwrap_err().to_string();
    assert_eq!(
        refused,
        "Resources.HttpApiIntegration.Properties.ResponseParameters: header via is reserved by API Gateway and cannot be mapped"
    );
}
