//! The story's tools: reading a form, a birth notice to attach, and the outside programs that check
//! what we made. A program that is not installed is named as such, never counted as a check.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use kernel::{Time, World};
use seal::certificate::{Certificate, Trust};
use tokio::process::Command;

/// What a program that is not there is reported as.
const ABSENT: &str = "not installed";

/// A folder that is removed when it goes out of use.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(world: &World) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("sen-story-tools-{}", world.id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The fields of a page's form as a person sends them: what stands there, and the answers given.
#[must_use]
pub fn form(page: &str, answers: &BTreeMap<&str, &str>) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut put = |name: String, value: String| {
        if !fields.iter().any(|(n, _)| *n == name) {
            fields.push((name, value));
        }
    };
    let mut select: Option<String> = None;
    for tag in page.split('<') {
        let Some((head, _)) = tag.split_once('>') else {
            continue;
        };
        let name = attribute(head, "name");
        if head.starts_with("input") {
            let (Some(name), kind) = (name, attribute(head, "type").unwrap_or_default()) else {
                continue;
            };
            let answer = answers.get(name.as_str()).map(|a| (*a).to_owned());
            match kind.as_str() {
                "radio" | "checkbox" => {
                    let value = attribute(head, "value").unwrap_or_default();
                    if answer.as_ref().map_or(head.contains(" checked"), |a| *a == value) {
                        put(name, value);
                    }
                }
                "file" | "submit" => {}
                "hidden" => put(name, attribute(head, "value").unwrap_or_default()),
                _ => {
                    let stands = attribute(head, "value").unwrap_or_default();
                    put(
                        name,
                        if stands.is_empty() {
                            answer.unwrap_or_default()
                        } else {
                            stands
                        },
                    );
                }
            }
        } else if head.starts_with("select") {
            select = name;
        } else if head.starts_with("/select") {
            select = None;
        } else if let (true, Some(name)) = (head.starts_with("option"), &select) {
            let value = attribute(head, "value").unwrap_or_default();
            let wanted = answers
                .get(name.as_str())
                .map_or(head.contains(" selected"), |a| *a == value);
            if wanted && !value.is_empty() {
                put(name.clone(), value);
            }
        }
    }
    fields
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(super::http::unescape(value))
}

/// A synthetic Giấy chứng sinh as a health facility would hand it out, as a PDF.
///
/// # Errors
/// When it cannot be drawn.
pub fn birth_notice(at: Time) -> anyhow::Result<Vec<u8>> {
    const TEMPLATE: &str = "#set document(title: \"Giấy chứng sinh (mẫu)\")\n#set page(paper: \"a5\")\n\
        = Giấy chứng sinh (mẫu – dữ liệu tổng hợp)\n\nBệnh viện Phụ sản Thanh Hóa (mẫu) chứng nhận một trẻ gái đã chào đời.\n";
    let templates = render::Templates::new([("birth-notice.typ".to_owned(), TEMPLATE.as_bytes().to_vec())])?;
    Ok(templates.pdf("birth-notice.typ", &serde_json::json!({}), at)?)
}

/// The trust that a CA file gives.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn trust(ca: &Path) -> anyhow::Result<Trust> {
    let anchors = Certificate::list_from_pem(&std::fs::read_to_string(ca)?)?;
    Ok(Trust {
        anchors,
        ..Trust::default()
    })
}

/// Whether a container carries a timestamp.
pub(super) fn has_timestamp(zip: &[u8]) -> anyhow::Result<bool> {
    Ok(unzip(zip)?.contains_key("META-INF/timestamp.tst"))
}

fn unzip(bytes: &[u8]) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes))?;
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        files.insert(file.name()?.to_string(), content);
    }
    Ok(files)
}

/// What `pdfsig` and `openssl cms -verify` say of a signed PDF.
pub(super) async fn check_pdf_outside(pdf: &[u8], ca: &Path) -> anyhow::Result<(String, String)> {
    let world = World::of_this_machine();
    let folder = Folder::new(&world)?;
    let file = folder.path("signed.pdf");
    std::fs::write(&file, pdf)?;
    let pdfsig = match (is_there("pdfsig").await, is_there("certutil").await) {
        (true, true) => {
            let nss = format!("sql:{}", folder.path("").display());
            run("certutil", &["-N", "-d", &nss, "--empty-password"]).await?;
            run(
                "certutil",
                &["-A", "-d", &nss, "-n", "sen", "-t", "CT,C,C", "-i", text(ca)],
            )
            .await?;
            let said = run("pdfsig", &["-nssdir", &nss, text(&file)]).await?;
            let count = said.matches("Signature #").count();
            for word in ["Signature is Valid", "Certificate is Trusted"] {
                ensure!(count > 0 && said.matches(word).count() == count, "pdfsig: {said}");
            }
            "Signature is Valid, Certificate is Trusted".to_owned()
        }
        _ => ABSENT.to_owned(),
    };
    let openssl = if is_there("openssl").await {
        let (cms, signed) = seal::pdf::signature_parts(pdf).context("the PDF has one signature")?;
        let (cms_file, content) = (folder.path("signature.p7s"), folder.path("signed.bin"));
        std::fs::write(&cms_file, cms)?;
        std::fs::write(&content, signed)?;
        let out = folder.path("out.bin");
        let wanted = [
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-in",
            text(&cms_file),
            "-content",
            text(&content),
        ];
        let trusted = ["-CAfile", text(ca), "-purpose", "any", "-out", text(&out)];
        run("openssl", &[&wanted[..], &trusted[..]].concat()).await?;
        "CMS Verification successful".to_owned()
    } else {
        ABSENT.to_owned()
    };
    Ok((pdfsig, openssl))
}

/// What `xmlsec1` and `openssl ts -verify` say of an exported container.
pub(super) async fn check_asice_outside(
    zip: &[u8],
    ca: &Path,
    tsa: &Path,
    world: &World,
) -> anyhow::Result<(String, String)> {
    let folder = Folder::new(world)?;
    for (name, content) in unzip(zip)? {
        ensure!(!name.contains(".."), "a container's file leaves its folder");
        let path = folder.path(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    let xmlsec = if is_there("xmlsec1").await {
        let id = "--id-attr:Id";
        let signed = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties";
        let (map, result) = (
            "--url-map:/sig-hashchainresult.xml",
            folder.path("sig-hashchainresult.xml"),
        );
        let signatures = folder.path("META-INF/signatures.xml");
        let wanted = [
            "--verify",
            "--trusted-pem",
            text(ca),
            id,
            signed,
            map,
            text(&result),
            text(&signatures),
        ];
        run("xmlsec1", &wanted).await?;
        "OK".to_owned()
    } else {
        ABSENT.to_owned()
    };
    let openssl = if is_there("openssl").await {
        let (token, data) = (
            folder.path("META-INF/timestamp.tst"),
            folder.path("ts-hashchainresult.xml"),
        );
        let wanted = [
            "ts",
            "-verify",
            "-data",
            text(&data),
            "-in",
            text(&token),
            "-token_in",
        ];
        let trusted = ["-CAfile", text(ca), "-untrusted", text(tsa)];
        run("openssl", &[&wanted[..], &trusted[..]].concat()).await?;
        "Verification: OK".to_owned()
    } else {
        ABSENT.to_owned()
    };
    Ok((xmlsec, openssl))
}

fn text(path: &Path) -> &str {
    path.to_str()
        .expect("temporary folders and data folders have names in UTF-8")
}

async fn is_there(program: &str) -> bool {
    let looked = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .await;
    looked.is_ok_and(|s| s.success())
}

async fn run(program: &str, args: &[&str]) -> anyhow::Result<String> {
    let done = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    if done.status.success() {
        Ok(said)
    } else {
        bail!("{program} refuses: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_with_what_stands_there_and_what_is_answered() {
        let page = r#"<input type="hidden" name="revision" value="3"><input name="a" value=""><input name="b" value="kept">
            <input type="radio" name="c" value="x"><input type="radio" name="c" value="y">
            <select name="d"><option value="">-</option><option value="1">M</option><option value="2" selected>N</option></select>"#;
        let answers = BTreeMap::from([("a", "A"), ("b", "B"), ("c", "y"), ("d", "1")]);
        let sent = form(page, &answers);
        let expect = [
            ("revision", "3"),
            ("a", "A"),
            ("b", "kept"),
            ("c", "y"),
            ("d", "1"),
        ];
        assert_eq!(sent, expect.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
