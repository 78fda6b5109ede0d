//! A disk that fills up under a running nation and is freed again, without a restart.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::World;
use sen::story::nation::Nation;
use sen::up::nation::Place;
use testbed::mounted::Mounted;
use testbed::people::Person;
use testbed::raw::{Answer, Asked, multipart};
use testbed::site::Site;
use testbed::{audit, birth, ground};

/// The disk, in megabytes.
const DISK_MB: u64 = 64;
/// Changes made at most until the first is refused, count.
const CHANGES: usize = 400;

/// Takes all room that is left.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).expect("a file");
    for size in [1 << 20, 4_096, 512, 1] {
        let bytes = vec![7_u8; size];
        while file.write_all(&bytes).is_ok() {}
    }
    path
}

async fn begin(site: &Site, mother: &Person, language: &str) -> Answer {
    let mut asked = Asked::by(mother).form("");
    asked.headers.push(("accept-language", language.to_owned()));
    let url = site.url(
        Place::National,
        &format!("/procedures/{}/start", birth::PROCEDURE),
    );
    asked.send("POST", &url).await.expect("an answer")
}

#[test]
fn a_full_disk_refuses_changes_with_a_remedy_and_reading_goes_on() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("full", &world).expect("a folder");
        let disk = Mounted::memory(folder.join("disk"), DISK_MB).expect("a small disk");
        let program = ground::program().expect("the program");
        let data = disk.path.join("data");
        let mut nation = Nation::start_in(&program, data, None, None, &world)
            .await
            .expect("a nation");
        let site = Site::of(nation.data.clone(), nation.port).expect("a site");
        let mut mother = Person::mother(&site).await.expect("signed in");
        let draft = birth::start(&mut mother).await.expect("a draft");
        let filler = fill(&disk.path);

        // What is still free inside the files that are there takes some changes; then there is none.
        let mut begun = 0;
        let refused = loop {
            let answer = begin(&site, &mother, "en").await;
            if answer.status >= 400 {
                break answer;
            }
            begun += 1;
            assert!(begun < CHANGES, "the disk is not full");
        };
        assert_eq!(refused.status, 507, "{}", refused.text());
        assert!(refused.text().contains("no room left"), "{}", refused.text());
        let words = begin(&site, &mother, "vi").await;
        assert_eq!(words.status, 507);
        assert!(words.text().contains("hết chỗ lưu trữ"), "{}", words.text());
        // A file, and an exchange whose evidence cannot be kept.
        let paper = birth::paper(&world).expect("a paper");
        let (media, body) = multipart("birth_notice", "paper.pdf", &paper);
        let upload = Asked {
            media,
            body,
            ..Asked::by(&mother)
        };
        let url = site.url(Place::National, &format!("/drafts/{draft}/files"));
        let kept = upload.send("POST", &url).await.expect("an answer");
        assert!(
            kept.status >= 400,
            "nothing is kept on a full disk: {}",
            kept.status
        );
        // Reading goes on, at every node.
        for path in ["/procedures", "/cases", "/api/v1/cases"] {
            let read = mother.get(path).await.expect("an answer");
            assert_eq!(read.status, 200, "{path}");
        }

        fs::remove_file(filler).expect("room");
        let resumed = ground::until("changes are taken again", async || {
            Ok((begin(&site, &mother, "en").await.status < 400).then_some(()))
        });
        // Within five seconds where nothing else runs.
        tokio::time::timeout(Duration::from_secs(20), resumed)
            .await
            .expect("soon, without a restart")
            .expect("taken");
        let answers = birth::Answers::usual(&world).expect("answers");
        birth::whole(&mut mother, &answers, &paper)
            .await
            .expect("a case is filed as ever");
        for place in sen::up::nation::PLACES {
            nation.kill(place).await.expect("killed");
            nation
                .start_node(place)
                .await
                .expect("it opens: nothing is half-written");
        }
        audit::logs(&site, &program).expect("TOTAL-PASSED");
        let page = mother.get("/cases").await.expect("a page").text();
        let drafts = page.matches("\"/drafts/").count();
        assert!(drafts > 0, "what was begun is there");
        nation.stop().await;
        drop(disk);
        fs::remove_dir_all(&folder).ok();
    });
}
