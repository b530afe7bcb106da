//! What an edge function may do, limit by limit.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::time::{Duration, UNIX_EPOCH};

use berth_local::edge::{
    CODE_LIMIT, EdgeFunction, Event, EventResponse, Failure, FieldValue, Forwarded, LoadError, Outcome, Ran,
};
use serde_json::{Value, json};

fn request() -> Value {
    json!({
        "version": "1.0",
        "context": {
            "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "EXAMPLE==",
        },
        "viewer": { "ip": "198.51.100.11" },
        "request": {
            "method": "PUT",
            "uri": "/v2/a/b",
            "querystring": { "x": { "value": "1%2F2" }, "y": { "value": "1", "multiValue": [{ "value": "1" }, { "value": "2" }] } },
            "headers": {
                "host": { "value": "video.example.com" },
                "content-length": { "value": "7" },
                "accept": { "value": "a/b", "multiValue": [{ "value": "a/b" }, { "value": "c/d" }] },
            },
            "cookies": { "id": { "value": "7" } },
        },
    })
}

fn response() -> Value {
    let mut event = request();
    event["context"]["eventType"] = "viewer-response".into();
    event["response"] = json!({
        "statusCode": 200,
        "statusDescription": "OK",
        "headers": { "server": { "value": "s" }, "via": { "value": "1.1 a" }, "etag": { "value": "\"1\"" } },
        "cookies": { "c": { "value": "1", "attributes": "Secure; Path=/" } },
    });
    event
}

fn loaded(code: &str) -> EdgeFunction {
    EdgeFunction::load(code).unwrap().origins(["registry", "bucket"])
}

/// A handler with this body, for this event.
fn run(body: &str, event: &Value) -> Ran {
    let code = format!(
        "import cf from 'cloudfront'; import crypto from 'crypto'; import querystring from 'querystring';\n\
         async function handler(event) {{ const request = event.request; const response = event.response; {body} }}"
    );
    loaded(&code).run(&Event::parse(&event.to_string()).unwrap())
}

fn forwarded(body: &str) -> Forwarded {
    match run(body, &request()).outcome.unwrap() {
        Outcome::Forward(forwarded) => forwarded,
        other => panic!("{other:?}"),
    }
}

fn failed(body: &str, event: &Value) -> Failure {
    run(body, event).outcome.unwrap_err()
}

/// What the body makes of its expression, by way of an answer.
fn value(expression: &str) -> String {
    let answer = run(&format!("return {{ statusCode: 200, body: String({expression}) }}"), &request());
    match answer.outcome.unwrap() {
        Outcome::Answer(EventResponse { body: Some(body), .. }) => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unchanged_request_goes_on_as_it_came() {
    let Forwarded { request: on, query, origin } = forwarded("return request;");
    assert_eq!(serde_json::to_value(on).unwrap(), request()["request"]);
    assert_eq!((query, origin), (None, None));
}

#[test]
fn a_handler_need_not_be_async_nor_import_anything() {
    let function = loaded(
        "var calls = 0; function handler(event) { calls++; event.request.uri = '/' + calls; return event.request; }",
    );
    for _ in 0..2 {
        let Ok(Outcome::Forward(on)) = function.run(&Event::parse(&request().to_string()).unwrap()).outcome else {
            panic!()
        };
        assert_eq!(on.request.uri, "/1", "nothing is kept from event to event");
    }
}

#[test]
fn code_over_ten_kilobytes_is_refused() {
    let head = "function handler(e) { return e.request; } //";
    let exact = format!("{head}{}", "x".repeat(CODE_LIMIT - head.len()));
    assert_eq!(EdgeFunction::load(exact.as_str()).unwrap().size(), 10_240);
    assert_eq!(EdgeFunction::load(exact + "x").unwrap_err(), LoadError::TooLarge(10_241));
}

#[test]
fn code_that_is_none_is_refused() {
    for (code, said) in [
        ("function handler(e) {", "SyntaxError"),
        ("function other(e) {}", "handler"),
        ("throw new Error('at once'); function handler() {}", "at once"),
        ("import fs from 'fs'; function handler() {}", "fs"),
        ("import x from './x.js'; function handler() {}", "x.js"),
        ("while (true) {} function handler() {}", "longer than it may"),
    ] {
        let error = EdgeFunction::load(code).unwrap_err().to_string();
        assert!(error.contains(said), "{code}: {error}");
    }
}

#[test]
fn uri_query_headers_and_cookies_may_change() {
    let Forwarded { request: on, query, origin } = forwarded(
        "request.uri = '/other%20one'; request.querystring = { b: { value: 'x%3D' }, a: { value: '1', multiValue: [{ value: '1' }, { value: '2' }] } };
         request.headers['x-new'] = { value: 'n' }; request.headers.accept.multiValue.push({ value: 'e/f' });
         request.cookies.more = { value: '8' }; cf.selectRequestOriginById('bucket'); return request;",
    );
    assert_eq!(on.uri, "/other%20one");
    assert_eq!(query.unwrap(), "b=x%3D&a=1&a=2", "in the order of the object");
    assert_eq!(origin.unwrap(), "bucket");
    assert_eq!(on.headers.first("x-new"), Some("n"));
    assert_eq!(on.headers.get("accept").unwrap(), ["a/b", "c/d", "e/f"].map(FieldValue::new));
    assert_eq!(on.cookies.first("more"), Some("8"));
}

#[test]
fn of_several_values_a_changed_one_replaces_the_first_alone() {
    let on = forwarded("request.headers.accept.value = 'x/y'; return request;").request;
    assert_eq!(on.headers.get("accept").unwrap(), ["x/y", "c/d"].map(FieldValue::new));
    let on = forwarded("request.headers.accept = { value: 'x/y' }; return request;").request;
    assert_eq!(on.headers.get("accept").unwrap(), [FieldValue::new("x/y")]);
}

#[test]
fn an_emptied_query_is_gone() {
    assert_eq!(forwarded("request.querystring = {}; return request;").query.unwrap(), "");
    assert_eq!(forwarded("delete request.querystring.y; return request;").query.unwrap(), "x=1%2F2");
}

#[test]
fn what_is_returned_is_validated() {
    for (body, said) in [
        ("request.method = 'GET'; return request;", "method is read-only"),
        ("delete request.method; return request;", "method"),
        ("request.uri = 'v2'; return request;", "uri does not begin with /"),
        ("request.uri = '/a b'; return request;", "uri is not a path"),
        ("request.uri = '/a?b'; return request;", "uri is not a path"),
        ("request.uri = 7; return request;", "uri is not a string"),
        ("request.uri = '/' + 'a'.repeat(8191); return request;", "8192"),
        ("request.querystring.a = { value: 'b c' }; return request;", "querystring"),
        ("request.querystring.a = { value: 'b#c' }; return request;", "querystring"),
        ("request.querystring = 'a=b'; return request;", "querystring is not an object"),
        ("request.querystring.a = 'b'; return request;", "querystring['a'].value is not a string"),
        ("request.headers['X-Upper'] = { value: '1' }; return request;", "lower case"),
        ("request.headers['a b'] = { value: '1' }; return request;", "not a header's name"),
        ("request.headers.a = { value: '1\\n2' }; return request;", "not a header's value"),
        ("request.headers.a = { value: 1 }; return request;", "headers['a'].value is not a string"),
        ("request.headers.a = { value: '1', multiValue: '1' }; return request;", "not an array"),
        ("request.headers.cookie = { value: 'a=b' }; return request;", "cookies"),
        ("return;", "no object"),
        ("return 'text';", "no object"),
        ("return null;", "no object"),
        ("return [];", "no object"),
        ("return {};", "method"),
        ("return { statusCode: '200' };", "statusCode"),
        ("return { statusCode: 20 };", "statusCode"),
        ("return { statusCode: 200, statusDescription: 1 };", "statusDescription"),
        ("return { statusCode: 200, body: 1 };", "body"),
        ("return { statusCode: 200, body: { data: '?', encoding: 'base64' } };", "base64"),
        ("return { statusCode: 200, body: { data: '', encoding: 'hex' } };", "encoding"),
        ("return { statusCode: 200, headers: { 'x-cache': { value: '1' } } };", "disallowed"),
        ("return { statusCode: 200, headers: { via: { value: '1' } } };", "read-only"),
    ] {
        let failure = failed(body, &request());
        assert_eq!(failure.status, 502, "{body}: {failure}");
        assert!(failure.reason.contains(said), "{body}: {failure}");
    }
}

#[test]
fn disallowed_headers_cannot_be_added() {
    for name in [
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amz-cf-id",
        "x-amz-cf-anything",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-cache",
        "x-edge-location",
        "x-forwarded-proto",
        "x-real-ip",
    ] {
        let failure = failed(&format!("request.headers['{name}'] = {{ value: '1' }}; return request;"), &request());
        assert_eq!((failure.status, failure.reason), (502, format!("headers['{name}'] is disallowed")));
    }
    forwarded(
        "request.headers['x-amz-checksum-sha256'] = { value: '1' }; request.headers['x-forwarded-host'] = { value: 'a' }; return request;",
    );
}

#[test]
fn read_only_headers_stay() {
    for (change, event) in [
        ("request.headers['content-length'].value = '8'; return request;", request()),
        ("delete request.headers['content-length']; return request;", request()),
        ("request.headers.host = { value: 'other' }; return request;", request()),
        ("delete request.headers.host; return request;", request()),
        ("request.headers.via = { value: '1' }; return request;", request()),
        ("request.headers['transfer-encoding'] = { value: 'chunked' }; return request;", request()),
        ("request.headers['cdn-loop'] = { value: 'other' }; return request;", request()),
        ("response.headers.via.value = '2'; return response;", response()),
        ("delete response.headers.via; return response;", response()),
        ("response.headers.warning = { value: '2' }; return response;", response()),
    ] {
        let failure = failed(change, &event);
        assert_eq!(failure.status, 502, "{change}");
        assert!(failure.reason.contains("read-only"), "{change}: {failure}");
    }
    forwarded("request.headers.host = { value: request.headers.host.value }; return request;");
    // Read-only to Lambda@Edge alone.
    for name in ["content-length", "content-encoding", "transfer-encoding"] {
        run(&format!("response.headers['{name}'] = {{ value: '7' }}; return response;"), &response()).outcome.unwrap();
    }
}

#[test]
fn a_response_may_change_and_its_body_is_not_seen() {
    let ran = run(
        "if ('body' in response) throw new Error('seen'); response.statusCode = 303; response.statusDescription = 'See Other';
         response.headers.location = { value: '/elsewhere' }; delete response.headers.etag; return response;",
        &response(),
    );
    let Outcome::Respond(on) = ran.outcome.unwrap() else { panic!() };
    assert_eq!((on.status_code, on.status_description.as_deref()), (303, Some("See Other")));
    assert_eq!(on.headers.first("location"), Some("/elsewhere"));
    assert_eq!((on.headers.get("etag"), on.body), (None, None));
    let cookie = FieldValue { value: "1".to_owned(), attributes: Some("Secure; Path=/".to_owned()) };
    assert_eq!(on.cookies.get("c").unwrap(), [cookie]);
    let said = failed("return request;", &response()).reason;
    assert!(said.contains("statusCode"), "{said}");
}

#[test]
fn an_answer_has_the_body_that_it_is_given() {
    let answer = |body: &str| {
        let ran =
            run(&format!("return {{ statusCode: 404, headers: {{ a: {{ value: 'b' }} }}, body: {body} }}"), &request());
        let Outcome::Answer(answer) = ran.outcome.unwrap() else { panic!() };
        assert_eq!((answer.status_code, answer.headers.first("a")), (404, Some("b")));
        answer.body.unwrap()
    };
    assert_eq!(answer("'text'"), "text");
    assert_eq!(answer("{ data: 'text', encoding: 'text' }"), "text");
    assert_eq!(answer("{ data: 'dGV4dA==', encoding: 'base64' }"), "text");
}

#[test]
fn origins_are_chosen_by_the_ids_that_there_are_and_for_requests_alone() {
    let failure = failed("cf.selectRequestOriginById('nowhere'); return request;", &request());
    assert_eq!(failure.status, 503);
    assert!(failure.reason.contains("no origin nowhere"), "{failure}");
    let failure = failed("cf.selectRequestOriginById('bucket'); return response;", &response());
    assert!(failure.reason.contains("viewer-request"), "{failure}");
    assert_eq!(forwarded("try { cf.selectRequestOriginById('nowhere') } catch (e) {} return request;").origin, None);
}

#[test]
fn keys_are_read_by_name() {
    let code = "import cf from 'cloudfront'; const store = cf.kvs();
        async function handler(event) {
            let missing = 'found'; try { await store.get('other') } catch (e) { missing = String(e) }
            const body = [await store.get('a'), (await store.get('j', { format: 'json' })).k, (await store.get('a', { format: 'bytes' })).length,
                await store.exists('a'), await store.exists('other'), (await store.meta()).keyCount, missing];
            return { statusCode: 200, body: JSON.stringify(body) };
        }";
    // Without a store the module fails.
    let said = EdgeFunction::load(code).unwrap_err().to_string();
    assert!(said.contains("no key value store"), "{said}");
    let code =
        code.replace("const store = cf.kvs();", "").replace("let missing", "const store = cf.kvs(); let missing");
    let function = EdgeFunction::load(code).unwrap().keys([("a", "väl"), ("j", r#"{"k":1}"#)]);
    let Ok(Outcome::Answer(answer)) = function.run(&Event::parse(&request().to_string()).unwrap()).outcome else {
        panic!()
    };
    assert_eq!(answer.body.unwrap(), r#"["väl",1,4,true,false,2,"Error: KeyNotFound"]"#);
    assert!(failed("await cf.kvs().get('a'); return request;", &request()).reason.contains("no key value store"));
}

#[test]
fn hashes_are_those_of_their_standards() {
    // RFC 4231, test case 2, and its digest in each encoding.
    let hmac = "crypto.createHmac('sha256', 'Jefe').update('what do ya want ').update('for nothing?').digest";
    assert_eq!(value(&format!("{hmac}('hex')")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(value(&format!("{hmac}('base64')")), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    assert_eq!(value(&format!("{hmac}('base64url')")), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
    assert_eq!(value(&format!("{hmac}().toString('hex').slice(0, 4)")), "5bdc");
    // Test case 6: a key longer than a block.
    let long = "crypto.createHmac('sha256', Buffer.alloc(131, 0xaa)).update('Test Using Larger Than Block-Size Key - Hash Key First')";
    assert_eq!(
        value(&format!("{long}.digest('hex')")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
    assert_eq!(value("crypto.createHash('md5').update('abc').digest('hex')"), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(
        value("crypto.createHash('sha1').update('abc').digest('hex')"),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    assert_eq!(
        value("crypto.createHash('sha256').update('61', 'hex').update(Buffer.from('bc')).digest('hex').slice(0, 8)"),
        "ba7816bf"
    );
    assert_eq!(value("crypto.createHash('sha256').update('ä').digest('hex').slice(0, 8)"), sha("ä"));
    for refused in
        ["crypto.createHash('sha512')", "crypto.createHmac('sha384', 'a')", "crypto.createHash('md5').digest('latin9')"]
    {
        assert_eq!(failed(&format!("{refused}; return request;"), &request()).status, 503, "{refused}");
    }
}

/// The first four bytes of SHA-256, in hexadecimal.
fn sha(text: &str) -> String {
    use s3s::crypto::Checksum as _;
    hex::encode(&s3s::crypto::Sha256::checksum(text.as_bytes())[..4])
}

#[test]
fn buffers_turn_text_into_bytes_and_back() {
    for (expression, result) in [
        ("Buffer.from('00ff10', 'hex').toString('base64')", "AP8Q"),
        ("Buffer.from('AP8Q', 'base64').toString('hex')", "00ff10"),
        ("Buffer.from('_-8', 'base64url').toString('hex')", "ffef"),
        ("Buffer.from('/+8=', 'base64').toString('base64url')", "_-8"),
        ("Buffer.from('äö').toString()", "äö"),
        ("Buffer.from('äö', 'utf8').length", "4"),
        ("Buffer.from([1, 2, 3]).toString('hex')", "010203"),
        ("Buffer.concat([Buffer.from('a'), Buffer.from('b')]).toString()", "ab"),
        ("Buffer.from('a').equals(Buffer.from('a'))", "true"),
        ("Buffer.isBuffer(Buffer.alloc(2))", "true"),
        ("Buffer.byteLength('ä')", "2"),
        ("querystring.stringify(querystring.parse('a=b%20c&a=d&e'))", "a=b%20c&a=d&e="),
    ] {
        assert_eq!(value(expression), result, "{expression}");
    }
}

#[test]
fn there_is_no_evaluation_no_timer_and_no_way_out() {
    for expression in [
        "eval('1')",
        "new Function('return 1')()",
        "(() => {}).constructor('return 1')()",
        "(async () => {}).constructor('return 1')()",
        "(function* () {}).constructor('return 1')()",
        "setTimeout(() => {}, 1)",
        "setInterval(() => {}, 1)",
        "fetch('http://a')",
        "new XMLHttpRequest()",
        "require('fs')",
        "process.env",
        "Deno.cwd()",
        "$native.log('')",
        "$shared.native",
        "std.open('/')",
        "os.getcwd()",
    ] {
        assert_eq!(failed(&format!("{expression}; return request;"), &request()).status, 503, "{expression}");
    }
    assert_eq!(failed("await import('fs'); return request;", &request()).status, 503);
    assert_eq!(failed("return (await import('./x.js')).default;", &request()).status, 503);
}

#[test]
fn a_function_that_does_not_end_is_stopped() {
    for endless in [
        "while (true) {}",
        "const f = () => { try { f() } catch (e) {} f() }; f()",
        "try { while (true) {} } catch (e) {} return request;",
        "await new Promise(() => {})",
        "const again = async () => { await null; await again() }; await again()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    ] {
        let failure = failed(&format!("{endless}; return request;"), &request());
        assert_eq!(failure.status, 503, "{endless}: {failure}");
    }
    let ran = run("let n = 0; for (let i = 0; i < 200000; i++) n += i; return request;", &request());
    assert!(ran.outcome.is_ok() && (10..50).contains(&ran.utilization), "{ran:?}");
}

#[test]
fn memory_is_bounded() {
    let failure = failed(
        "const all = []; for (let i = 0; i < 100; i++) all.push('x'.repeat(100000) + i); return request;",
        &request(),
    );
    assert_eq!(failure.status, 503, "{failure}");
    run(
        "const some = 'x'.repeat(1000000); request.headers.a = { value: String(some.length) }; return request;",
        &request(),
    )
    .outcome
    .unwrap();
}

#[test]
fn an_exception_is_said_with_its_place_and_what_was_logged_is_kept() {
    let ran = run("console.log('one', { two: 2 }, 3);\nconsole.error('four');\nthrow new TypeError('no');", &request());
    let failure = ran.outcome.unwrap_err();
    assert_eq!(failure.status, 503);
    assert!(failure.reason.starts_with("TypeError: no (at handler (function:4"), "{failure}");
    assert_eq!(ran.log, ["one {\"two\":2} 3", "four"]);
    let thrown = failed("throw 'words';", &request());
    assert_eq!(thrown.reason, "thrown: words");
    let ran = run("for (let i = 0; i < 100; i++) console.log('x'.repeat(1000)); return request;", &request());
    assert_eq!(ran.log.iter().map(String::len).sum::<usize>(), 10_240);
}

#[test]
fn its_clock_can_be_stopped() {
    let code = "function handler() { return { statusCode: 200, body: [Date.now(), new Date().getTime(), new Date(5).getTime()].join() } }";
    let function = EdgeFunction::load(code).unwrap().clock(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123));
    let Ok(Outcome::Answer(answer)) = function.run(&Event::parse(&request().to_string()).unwrap()).outcome else {
        panic!()
    };
    assert_eq!(answer.body.unwrap(), "1700000000123,1700000000123,5");
    assert!(value("Date.now()").parse::<u64>().unwrap() > 1_700_000_000_123);
}

#[test]
fn an_event_that_is_none_is_said() {
    let mut event = request();
    event["context"]["eventType"] = "viewer-response".into();
    assert!(Event::parse(&event.to_string()).is_err());
    event = response();
    event["request"]["body"] = "seen".into();
    assert!(Event::parse(&event.to_string()).is_err(), "requests have no body");
}
