//! The yardstick "nginx2": two nginx hops with mutual TLS between them, no signatures, no log. Its
//! certificates come from a throwaway authority and are gone with its folder.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::process::Process;
use crate::postgres::free_port;
use crate::shell;

/// Both hops, and where the first one listens.
pub(crate) struct Nginx2 {
    pub(crate) hops: [Process; 2],
    pub(crate) url: String,
}

/// Starts both hops in front of a service.
pub(crate) fn start(folder: &Path, service_port: u16) -> Result<Nginx2> {
    certificates(folder)?;
    let (front, back) = (free_port()?, free_port()?);
    let f = folder.display();
    let front_conf = format!(
        "upstream next {{ server 127.0.0.1:{back}; keepalive 256; keepalive_requests 100000000; }}\n\
         server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass https://next;\n\
         proxy_ssl_certificate {f}/node.pem; proxy_ssl_certificate_key {f}/node.key;\n\
         proxy_ssl_trusted_certificate {f}/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.3; }} }}"
    );
    let back_conf = format!(
        "upstream next {{ server 127.0.0.1:{service_port}; keepalive 256; keepalive_requests 100000000; }}\n\
         server {{ listen 127.0.0.1:{back} ssl; ssl_certificate {f}/node.pem; ssl_certificate_key {f}/node.key;\n\
         ssl_client_certificate {f}/ca.pem; ssl_verify_client on; ssl_protocols TLSv1.3; location / {{ proxy_pass http://next; }} }}"
    );
    let hops = [
        hop(folder, "front", &front_conf)?,
        hop(folder, "back", &back_conf)?,
    ];
    let url = format!("http://127.0.0.1:{front}/");
    answers(&url)?;
    Ok(Nginx2 { hops, url })
}

fn hop(folder: &Path, name: &str, servers: &str) -> Result<Process> {
    let f = folder.display();
    let user = if shell::is_root() { "user root;" } else { "" };
    let text = format!(
        "{user} worker_processes 2; daemon off; error_log {f}/{name}.log; pid {f}/{name}.pid;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; keepalive_requests 100000000; client_body_buffer_size 128k;\n\
         client_body_temp_path {f}/{name}-body; proxy_temp_path {f}/{name}-proxy; fastcgi_temp_path {f}/{name}-f;\n\
         uwsgi_temp_path {f}/{name}-u; scgi_temp_path {f}/{name}-s;\n\
         proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffers 64 4k; proxy_busy_buffers_size 64k;\n{servers}\n}}\n"
    );
    let file = folder.join(format!("{name}.conf"));
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    // Before its own configuration is read nginx logs to a file it is built with: `-e` names ours.
    let log = folder.join(format!("{name}.log"));
    Process::start(
        Command::new("nginx")
            .arg("-p")
            .arg(folder)
            .arg("-e")
            .arg(&log)
            .arg("-c")
            .arg(&file),
    )
}

/// Waits until the way through both hops answers.
fn answers(url: &str) -> Result<()> {
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "--retry",
        "50",
        "--retry-delay",
        "0",
        "--retry-connrefused",
        "--retry-max-time",
        "10",
        "--fail",
    ]);
    shell::output(command.args(["--output", "/dev/null", "--data", "{}", url]))
        .map(drop)
        .context("nginx2 does not answer")
}

fn certificates(folder: &Path) -> Result<()> {
    let openssl = |arguments: &[&str]| {
        shell::output(Command::new("openssl").current_dir(folder).args(arguments)).map(drop)
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let new = |more: &[&str]| openssl(&[&["req"], &key[..], more].concat());
    new(&[
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=bench ca",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ])?;
    new(&[
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        "node.key",
        "-out",
        "node.csr",
    ])?;
    openssl(&[
        "x509",
        "-req",
        "-in",
        "node.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-copy_extensions",
        "copy",
        "-out",
        "node.pem",
    ])
}
