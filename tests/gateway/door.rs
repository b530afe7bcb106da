//! Whom the gateway serves.

use http::{Method, StatusCode};

use crate::{
    house::House,
    old_client::error,
    process::{Gateway, Home},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_its_own_name_alone() {
    let house = House::new().await;
    let home = Home::new();
    let gateway = home.start(house.host());
    let ask = async |gateway: &Gateway, headers: &[(&str, &str)]| {
        gateway.http().send(Method::GET, "/v2/", headers, bytes::Bytes::new()).await
    };
    assert_eq!(ask(&gateway, &[]).await.status, StatusCode::OK);
    let refused = ask(&gateway, &[("host", "evil.example")]).await;
    let (status, code, words) = error(&refused);
    assert_eq!((status, code.as_str()), (421, "DENIED"));
    assert!(words.contains("evil.example") && words.contains("--allow-host"), "{words}");
    assert_eq!(ask(&gateway, &[("origin", "http://evil.example")]).await.status, StatusCode::FORBIDDEN);
    assert!(house.gate.take().is_empty());

    let told = Gateway::start(home.berth(house.host()).args(["--allow-host", "host.docker.internal"]));
    assert_eq!(ask(&told, &[("host", "host.docker.internal:5001")]).await.status, StatusCode::OK);
    assert_eq!(ask(&told, &[("host", "evil.example")]).await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[test]
fn on_this_machine_alone() {
    let home = Home::new();
    let gateway = home.start("registry.example.com");
    assert!(gateway.said.contains("registry.example.com at localhost:"), "{}", gateway.said);
    let port = gateway.host.rsplit(':').next().unwrap();
    // Loopback's other numbers stand for the machine's other addresses.
    std::net::TcpStream::connect(format!("127.0.0.2:{port}")).unwrap_err();
}
