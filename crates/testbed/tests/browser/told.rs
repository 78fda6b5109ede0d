//! A mother says where she wants to be told of her cases, and reads what she was told, in the browser: by e-mail in one
//! language, by SMS in the other, because both live in one account.

use anyhow::ensure;
use sen::up::nation::Place;
use testbed::browser::{Browser, PHONE};
use testbed::ground::run;
use testbed::messages;
use web::Lang;

use crate::cast::{House, both, close, house, told};

#[test]
fn a_mother_is_told_of_her_case_where_she_wishes() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("told", lang, PHONE).await;
            be_told(house, &mother, lang).await?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

async fn be_told(house: &House, mother: &Browser, lang: Lang) -> anyhow::Result<()> {
    let (way, typed, kept) = match lang {
        Lang::Vi => (
            "email",
            "me.trinh-duyet@mau.example.vn",
            "me.trinh-duyet@mau.example.vn",
        ),
        Lang::En => ("sms", "0912 345 688", "+84912345688"),
    };
    let words = mother.words.clone();
    let port = house.nation.site.port;
    let of_way = |key: &str| format!("{}: {}", words.t(key), words.t(&format!("contact-{way}")));
    let (address, code) = (
        words.t(&format!("contact-{way}-address")),
        words.t(&format!("contact-{way}-code")),
    );
    house.sign_in_at(mother, "/inbox").await?;
    mother.see("inbox-before").await?;
    mother.press("inbox-contact").await?;
    mother.see("contact").await?;
    mother.fill(&address, "x").await?;
    mother.click(&of_way("contact-save")).await?;
    mother.see("contact-wrong").await?;
    mother.fill(&address, typed).await?;
    mother.click(&of_way("contact-save")).await?;
    mother.see("contact-code").await?;
    mother.fill(&code, "000").await?;
    mother.click(&of_way("contact-confirm")).await?;
    mother.see("contact-code-wrong").await?;
    mother.fill(&code, &messages::code(port, kept).await?).await?;
    mother.click(&of_way("contact-confirm")).await?;
    mother.see("contact-confirmed").await?;
    let case = house.file(mother).await?;
    messages::told(port, kept, &case).await?;
    mother.go(Place::National, "/inbox").await?;
    ensure!(
        mother.says(&case).await?,
        "the inbox tells of {case}: {}",
        mother.text().await?
    );
    mother.see("inbox").await?;
    // In the other language the same account may have read it a moment ago.
    if mother.says(&words.t("inbox-read-all")).await? {
        mother.press("inbox-read-all").await?;
    }
    mother.see("inbox-read").await?;
    mother.go(Place::National, "/contact").await?;
    mother.see("contact-uses").await?;
    mother.click(&of_way("contact-remove")).await?;
    mother.see("contact-removed").await
}
