//! What STS says, in JSON or XML.

use serde_json::json;

pub(super) fn found(arn: &str, is_json: bool) -> String {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let id = "AIDAEMULATED0000000";
    if is_json {
        let result = json!({ "Account": account, "Arn": arn, "UserId": id });
        let metadata = json!({ "RequestId": "00000000-0000-0000-0000-000000000000" });
        json!({ "GetCallerIdentityResponse": { "GetCallerIdentityResult": result, "ResponseMetadata": metadata } })
            .to_string()
    } else {
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{arn}</Arn><UserId>{id}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             </GetCallerIdentityResponse>"
        )
    }
}

pub(super) fn refused(code: &str, message: &str, is_json: bool) -> String {
    if is_json {
        json!({ "Error": { "Code": code, "Message": message, "Type": "Sender" } }).to_string()
    } else {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
    }
}
