//! What a node of the sample nation looks like to a person: its title and the links of its header.

use web::shared::{NavItem, NodeFace};

use super::nation::Place;

/// A node's face.
pub(super) fn of(place: Place, port: u16) -> NodeFace {
    let mut face = NodeFace::new(place.id(), &format!("sen-title-{}", place.id()));
    let links: &[(&str, &str, Option<&str>)] = match place {
        Place::National => &[
            ("/procedures", "sen-nav-procedures", None),
            ("/cases", "sen-nav-cases", Some("citizen")),
            ("/inbox", "sen-nav-inbox", Some("citizen")),
            ("/designs", "sen-nav-designs", Some("designer")),
            ("/designs", "sen-nav-designs", Some("publisher")),
            ("/track", "sen-nav-track", None),
            ("/answers", "sen-nav-answers", None),
            ("/national/statistics", "sen-nav-statistics", Some("operator")),
        ],
        Place::Ministry => &[("/my/data-usage", "sen-nav-usage", Some("citizen"))],
        Place::Province => &[
            ("/desk", "sen-nav-desk", Some("receptionist")),
            ("/desk", "sen-nav-desk", Some("officer")),
            ("/desk", "sen-nav-desk", Some("chairman")),
            ("/desk", "sen-nav-desk", Some("deputy-chairman")),
            ("/desk", "sen-nav-desk", Some("clerk")),
            ("/desk?state=overdue", "sen-nav-supervise", Some("supervisor")),
            ("/desk/moves", "sen-nav-moves", Some("supervisor")),
            ("/designs", "sen-nav-designs", Some("designer")),
            ("/designs", "sen-nav-designs", Some("publisher")),
            ("/migrations", "sen-nav-migrations", Some("designer")),
            ("/migrations", "sen-nav-migrations", Some("publisher")),
            ("/desk/reconciliation", "sen-nav-reconcile", Some("supervisor")),
            ("/track", "sen-nav-track", None),
        ],
    };
    face.nav = links
        .iter()
        .map(|(href, key, role)| NavItem::new(href, key, *role))
        .chain(crate::nav::of_every_node())
        .collect();
    if place == Place::National {
        face.form_targets.push(Place::Ministry.url(port));
    }
    if place == Place::Ministry {
        face.form_targets.push(Place::National.url(port));
    }
    face
}
