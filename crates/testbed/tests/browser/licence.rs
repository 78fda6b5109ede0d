//! A company’s form, in the browser: the tax code that is typed asks the business register, and the next page shows what it
//! said with its source; another code asks anew.

use anyhow::ensure;
use directory::people::SAMPLE_COMPANY;
use testbed::browser::{Browser, PHONE};
use testbed::ground::run;

use crate::cast::{House, both, close, house, told};

const LICENCE: &str = "1.000703";

#[test]
fn a_company_is_filled_in_from_the_business_register_by_the_tax_code_typed() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mut mother = house.mother("licence", lang, PHONE).await;
            mother.words = mother.words.about(LICENCE)?;
            form(house, &mother).await?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

async fn form(house: &House, mother: &Browser) -> anyhow::Result<()> {
    let words = mother.words.clone();
    house
        .sign_in_at(mother, &format!("/procedures/{LICENCE}"))
        .await?;
    mother.see("licence-procedure").await?;
    mother.press("cases-start").await?;
    mother.click(&words.pages()[0].1).await?;
    mother.see("licence-code").await?;
    mother.answer("tax_code", "9900000017").await?;
    mother.save().await?;
    mother.see("licence-code-wrong").await?;
    mother.answer("tax_code", SAMPLE_COMPANY).await?;
    mother.save().await?;
    mother.see("licence-company").await?;
    ensure!(
        mother.says("Công ty TNHH Vận tải Mai (mẫu)").await?,
        "the register’s answer is shown: {}",
        mother.text().await?
    );
    mother.save().await?;
    mother.see("licence-transport").await?;
    mother.save().await?;
    mother.see("licence-transport-empty").await
}
