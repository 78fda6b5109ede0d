//! What each paper is given, with made-up values: a pack's templates are held against it. Never a real
//! person. The desk's own tests hold it against what is given in truth.

use serde_json::{Value, json};

use crate::procedure::{Procedure, Question, QuestionKind};

/// Templates that every desk needs, whatever the procedure.
pub const ALWAYS: [&str; 2] = ["receipt", "refusal"];

/// The data of a template that every desk needs.
#[must_use]
pub fn sample(template: &str) -> Option<Value> {
    match template {
        "receipt" => Some(with_office(receipt())),
        "refusal" => Some(with_office(refusal())),
        _ => None,
    }
}

/// The data of a procedure's result; `record` is what its register answers, where it repeats a record.
#[must_use]
pub fn result(procedure: &Procedure, record: Option<&Value>) -> Value {
    with_office(match procedure.result.template.as_str() {
        "birth-certificate" => birth(),
        _ => plain(procedure, record),
    })
}

/// With what the office that issues documents adds to every one.
fn with_office(mut data: Value) -> Value {
    if let Some(map) = data.as_object_mut() {
        map.insert("check_url".to_owned(), json!("https://example.vn/check/1"));
        map.insert("qr_svg".to_owned(), json!(QR));
        map.insert("specimen".to_owned(), json!(true));
    }
    data
}

/// What every result but the birth certificate is given: the case, and its answers in words.
fn plain(procedure: &Procedure, record: Option<&Value>) -> Value {
    let questions = procedure.pages.iter().flat_map(|p| &p.questions);
    let answer = |q: &Question| match q.kind {
        QuestionKind::Date => json!("2000-02-29"),
        QuestionKind::PersonalNumber => json!("038198000001"),
        QuestionKind::Number => {
            let unit = q
                .unit
                .as_ref()
                .map_or_else(String::new, |unit| format!(" {}", unit.vi));
            json!(format!("{}{unit}", q.bounds().0))
        }
        QuestionKind::Money => json!(crate::payment::dong(q.bounds().0)),
        QuestionKind::LongText => json!("Dòng thứ nhất của đoạn mẫu.\nDòng thứ hai."),
        QuestionKind::YesNo => json!("Có"),
        QuestionKind::BusinessId => json!("0000000017"),
        QuestionKind::Phone => json!("0900000000"),
        QuestionKind::Email => json!("mau@example.vn"),
        QuestionKind::Address => json!("Thôn Mẫu, Xã Mẫu, Tỉnh Mẫu"),
        _ => json!("Mẫu"),
    };
    let answers: serde_json::Map<String, Value> = questions.map(|q| (q.code.clone(), answer(q))).collect();
    let mut data = refusal();
    if let Some(map) = data.as_object_mut() {
        map.remove("reason");
        map.insert("answers".to_owned(), Value::Object(answers));
        map.insert("reply".to_owned(), json!("Câu trả lời mẫu của cơ quan."));
        let valid = procedure.result.valid.map(|_| "2033-11-21");
        map.insert("valid_until".to_owned(), json!(valid));
        map.insert("record".to_owned(), record.cloned().unwrap_or(Value::Null));
        map.insert(
            "applicant".to_owned(),
            json!({"full_name": "Nguyễn Thị Mẫu", "personal_number": "038198000001"}),
        );
    }
    data
}

const QR: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><path d=\"M0 0h1v1H0z\"/></svg>";

fn receipt() -> Value {
    json!({
        "agency": {"name": "Ủy ban nhân dân xã Mẫu", "unit": "Trung tâm Phục vụ hành chính công", "place": "Mẫu"},
        "case_code": "G22-261121-0001",
        "applicant": {"full_name": "Nguyễn Thị Mẫu", "address": null, "phone": null, "email": null},
        "representative": null,
        "procedure": {"code": "1.000001", "name": "Thủ tục mẫu"},
        "papers": [{"name": "Giấy mẫu", "kind": "electronic", "count": 1}],
        "received_at": 1_795_226_400_000_i64,
        "due_at": 1_795_312_800_000_i64,
        "term": "1 ngày làm việc",
        "working": [{"date": "2026-11-23", "minutes": 480, "reason": ""}],
        "return_by": "Nhận bản điện tử",
        "fee": {"amount": 0, "note": null},
        "receptionist": {"name": "Trần Văn Mẫu"},
    })
}

fn refusal() -> Value {
    json!({
        "case_code": "G22-261121-0001",
        "agency": {"name": "Ủy ban nhân dân xã Mẫu", "province": "tỉnh Mẫu", "place": "Mẫu"},
        "applicant": {"full_name": "Nguyễn Thị Mẫu"},
        "procedure": {"code": "1.000001", "name": "Thủ tục mẫu"},
        "filed_at": 1_795_226_400_000_i64,
        "decided_at": 1_795_312_800_000_i64,
        "reason": "Lý do mẫu",
        "signer": {"position": "CHỦ TỊCH", "name": "Lê Văn Mẫu"},
    })
}

fn birth() -> Value {
    let parent = json!({
        "full_name": "Nguyễn Thị Mẫu", "birth_year": "1998", "ethnicity": "Kinh", "nationality": "Việt Nam",
        "residence": "Thôn Mẫu, xã Mẫu",
    });
    json!({
        "number": "1/2026",
        "agency": {"name": "Ủy ban nhân dân xã Mẫu", "province": "tỉnh Mẫu"},
        "child": {
            "full_name": "Nguyễn Mẫu", "born_on": "2026-11-19", "born_on_words": "Ngày mười chín",
            "sex": "Nữ", "ethnicity": "Kinh", "nationality": "Việt Nam", "birth_place": "Xã Mẫu",
            "home_town": "Xã Mẫu", "personal_number": "038326000015",
        },
        "mother": parent,
        "father": parent,
        "declarant": {"full_name": "Nguyễn Thị Mẫu", "id_paper": "Số định danh cá nhân 038198000001"},
        "registered_at": "Ủy ban nhân dân xã Mẫu, tỉnh Mẫu",
        "registered_on": "2026-11-21",
        "signer": {"position": "CHỦ TỊCH", "name": "Lê Văn Mẫu"},
    })
}
