//! How people sign in at each node of the sample nation: the ministry's provider signs citizens in
//! for the national portal; officials sign in where they work.

use anyhow::Context as _;
use directory::people::Person;
use identity::{Accounts, Client, ClientConfig, Mode, NewAccount, Provider};
use kernel::{Actor, OrgCode};
use seal::key::SigningKey;
use store::Store;

use super::accounts::{self, Sample};
use super::nation::Place;
use super::node::Country;
use super::population;
use super::prepare::Layout;
use crate::config::Config;
use crate::node::SignIn;

/// The portal's name at the identity provider.
const CLIENT: &str = "national-portal";
/// Below this assurance level the portal signs nobody in (Decree 59/2022: level 2 is the verified one).
const LEVEL_MIN: u8 = 2;

/// How people sign in at a node.
///
/// # Errors
/// When the provider's key cannot be read.
pub(crate) fn sign_in(place: Place, config: &Config, layout: &Layout) -> anyhow::Result<SignIn> {
    let callback = format!("{}/sign-in/callback", Place::National.url(config.port));
    let issuer = Place::Ministry.url(config.port);
    let mode = match place {
        Place::National => Mode::OpenId(ClientConfig {
            issuer: issuer.clone(),
            client_id: CLIENT.to_owned(),
            redirect_uri: callback.clone(),
            level_min: LEVEL_MIN,
            http: web::client::Client::plain(),
        }),
        Place::Ministry | Place::Province => Mode::Passwords,
    };
    let provider = match place {
        Place::Ministry => {
            let file = layout.oidc_key();
            let pem =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(Provider {
                issuer,
                key: SigningKey::from_pkcs8_pem(&pem)?,
                clients: vec![Client {
                    id: CLIENT.to_owned(),
                    redirect_uris: vec![callback],
                }],
            })
        }
        Place::National | Place::Province => None,
    };
    Ok(SignIn {
        mode,
        provider,
        secure: false,
    })
}

/// Opens the sample accounts of a node that are not there yet.
///
/// # Errors
/// When the store cannot be written.
pub(crate) async fn open_samples(
    place: Place,
    config: &Config,
    country: &Country,
    store: &Store,
) -> anyhow::Result<()> {
    let tenant = place.tenants().remove(0);
    let accounts = Accounts::new(store.clone(), tenant.clone());
    let samples = accounts::read(&config.data)?;
    let households = samples.iter().map(|s| s.household).max().unwrap_or_default() + 1;
    let mothers: Vec<Person> = population::mothers(config, country).take(households).collect();
    for sample in samples.into_iter().filter(|s| s.node == place.id()) {
        let mother = mothers
            .get(sample.household)
            .context("the sample population has not so many households")?;
        if accounts.get(&sample.id).await?.is_none() {
            accounts
                .open(&Actor::Platform, &account(&sample, &tenant, mother)?)
                .await?;
        }
    }
    Ok(())
}

fn account(sample: &Sample, tenant: &OrgCode, mother: &Person) -> anyhow::Result<NewAccount> {
    let (mut subject, mut born, mut level, mut name) = (None, None, 0, sample.name.clone());
    let mut unit = tenant.clone();
    if sample.role == "citizen" {
        subject = Some(mother.personal_number.clone());
        born = Some(mother.date_of_birth);
        name.clone_from(&mother.full_name);
        level = LEVEL_MIN;
    } else if ["receptionist", "officer", "chairman", "deputy-chairman", "clerk"]
        .contains(&sample.role.as_str())
        && !sample.of_province
    {
        unit = population::unit_of(mother)?;
    }
    Ok(NewAccount {
        id: sample.id.clone(),
        user: sample.user.clone(),
        password: Some(sample.password.clone()),
        name,
        subject,
        born,
        level,
        roles: vec![sample.role.clone()],
        unit,
    })
}
