//! The mark of a signature on the page (the agency's seal, its number, the time): the one page of a
//! small PDF, drawn as the look of the signature's field. Never part of the page itself, which was
//! signed before.

use std::collections::BTreeSet;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

use super::revisions::MARK_POINTS_MAX;
use crate::error::SealError;

/// What a signature shows, and where.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// A PDF of one page; its size is the mark's.
    pub pdf: &'a [u8],
    /// The corners on the document's first page in points from its lower left: left, bottom, right,
    /// top. At most 260 by 100 points.
    pub place: [f32; 4],
}

/// Adds the look of a mark to the objects of a revision; gives the reference a field names.
pub(super) fn draw(update: &mut Document, mark: &Mark<'_>) -> Result<ObjectId, SealError> {
    let bad = |_| SealError::Pdf("mark");
    let [left, bottom, right, top] = mark.place.map(f64::from);
    let size = [right - left, top - bottom];
    if size
        .iter()
        .zip(MARK_POINTS_MAX)
        .any(|(side, max)| !(0.0..=max).contains(side))
    {
        return Err(SealError::Pdf("mark"));
    }
    let mut drawn = Document::load_mem(mark.pdf).map_err(bad)?;
    drawn.renumber_objects_with(update.max_id + 1);
    let page_id = drawn.page_iter().next().ok_or(SealError::Pdf("mark"))?;
    let content = drawn.get_page_content(page_id);
    let page = drawn.get_dictionary(page_id).map_err(bad)?;
    let part = |key: &[u8]| page.get_deref(key, &drawn).map_err(bad);
    let corners = part(b"MediaBox")?.clone();
    let resources = part(b"Resources")?.as_dict().map_err(bad)?.clone();

    let mut wanted = BTreeSet::new();
    needed(&drawn, &Object::Dictionary(resources.clone()), &mut wanted);
    for id in wanted {
        let object = drawn.get_object(id).map_err(bad)?.clone();
        update.set_object(id, object);
        update.max_id = update.max_id.max(id.0);
    }
    let look = dictionary! {
        "Type" => "XObject",
        "Subtype" => "Form",
        "BBox" => corners,
        "Resources" => resources,
    };
    Ok(update.add_object(stream(look, content)))
}

fn stream(dictionary: Dictionary, content: Vec<u8>) -> Stream {
    let mut stream = Stream::new(dictionary, content);
    // Plain text stays plain when packing it makes it larger.
    stream.compress().ok();
    stream
}

/// The objects that an object leads to, each once.
fn needed(document: &Document, object: &Object, into: &mut BTreeSet<ObjectId>) {
    match object {
        Object::Reference(id) => {
            if let Ok(found) = document.get_object(*id)
                && into.insert(*id)
            {
                needed(document, found, into);
            }
        }
        Object::Array(all) => all.iter().for_each(|o| needed(document, o, into)),
        Object::Dictionary(all) => all.iter().for_each(|(_, o)| needed(document, o, into)),
        Object::Stream(stream) => stream.dict.iter().for_each(|(_, o)| needed(document, o, into)),
        _ => {}
    }
}
