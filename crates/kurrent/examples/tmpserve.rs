#[path = "../tests/it/server.rs"]
mod server;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = server::Server::open().await;
    println!("{}", server.address);
    std::future::pending::<()>().await;
}
