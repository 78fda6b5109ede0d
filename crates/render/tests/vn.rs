//! The templates of the Vietnamese pack, filled with synthetic data and read back with poppler's
//! `pdftotext` and `pdfinfo`. Never real people.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use kernel::{Time, calendar::Calendar, time::parse_iso};
use render::{RenderError, Templates, date_in_words, qr_svg};
use serde_json::{Value, json};

const BIRTH: &str = "birth-certificate.typ";
const RECEIPT: &str = "receipt.typ";

fn templates() -> Templates {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn/templates");
    let files = std::fs::read_dir(folder)
        .expect("the pack's templates")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a template"))
        });
    Templates::new(files).expect("templates without mistakes")
}

fn at() -> Time {
    Time::parse_rfc3339("2026-11-20T09:40:00+07:00").expect("a time")
}

fn birth() -> Value {
    let url = "http://127.0.0.1:8080/kiem-tra/H56.30-261120-0001";
    json!({
        "number": "15/2026",
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa", "province": "tỉnh Thanh Hóa"},
        "child": {
            "full_name": "Nguyễn Phạm Quỳnh Như",
            "born_on": "2026-11-03",
            "born_on_words": date_in_words(parse_iso("2026-11-03").expect("a date")),
            "sex": "Nữ", "ethnicity": "Kinh", "nationality": "Việt Nam",
            "birth_place": "Bệnh viện Phụ sản Thanh Hóa, phường Hạc Thành, tỉnh Thanh Hóa",
            "home_town": "Xã Hoằng Hóa, tỉnh Thanh Hóa",
            "personal_number": "038326000015",
        },
        "mother": {
            "full_name": "Phạm Thị Ngọc Diễm", "birth_year": 1998, "ethnicity": "Mường",
            "nationality": "Việt Nam", "residence": "Thôn Đằng Trung, xã Hoằng Hóa, tỉnh Thanh Hóa",
        },
        "father": {
            "full_name": "Nguyễn Đặng Thượng Khoẵng", "birth_year": 1996, "ethnicity": "Kinh",
            "nationality": "Việt Nam", "residence": "Thôn Đằng Trung, xã Hoằng Hóa, tỉnh Thanh Hóa",
        },
        "declarant": {
            "full_name": "Phạm Thị Ngọc Diễm",
            "id_paper": "Thẻ căn cước số 038198000123, Bộ Công an cấp ngày 12/05/2024",
        },
        "registered_at": "Ủy ban nhân dân xã Hoằng Hóa, tỉnh Thanh Hóa",
        "registered_on": "2026-11-21",
        "signer": {"position": "CHỦ TỊCH", "name": "Lê Hữu Nghĩa"},
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    })
}

fn receipt() -> Value {
    let url = "http://127.0.0.1:8080/ho-so/H56.30-261120-0001";
    let counted = Calendar::standard().days_after(at(), 3);
    json!({
        "agency": {
            "name": "Ủy ban nhân dân xã Hoằng Hóa",
            "unit": "Trung tâm Phục vụ hành chính công", "place": "Hoằng Hóa",
        },
        "case_code": "H56.30-261120-0001",
        "applicant": {
            "full_name": "Phạm Thị Ngọc Diễm", "address": "Thôn Đằng Trung, xã Hoằng Hóa, tỉnh Thanh Hóa",
            "phone": "0900 000 123", "email": null,
        },
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "papers": [
            {"name": "Tờ khai đăng ký khai sinh", "kind": "electronic", "count": 1},
            {"name": "Giấy chứng sinh do cơ sở khám bệnh, chữa bệnh cấp", "kind": "original", "count": 1},
            {"name": "Giấy chứng nhận kết hôn của cha, mẹ", "kind": "copy", "count": 2},
        ],
        "received_at": at(), "due_at": counted.end, "term": "3 ngày làm việc", "working": counted.lines,
        "return_by": "Nhận tại Trung tâm Phục vụ hành chính công",
        "fee": {"amount": 15500, "note": "đã thanh toán trực tuyến"},
        "receptionist": {"name": "Trần Thị Ánh Nguyệt"},
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    })
}

fn poppler(tool: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Debian's poppler complains of a boolean that ISO 32000 asks for.
        .stderr(Stdio::null())
        .spawn()
        .expect("poppler-utils is installed");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(pdf)
        .expect("the tool reads the PDF");
    let output = child.wait_with_output().expect("the tool ends");
    assert!(output.status.success(), "{tool} refuses the PDF");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The words of a page with single spaces, so that a wrapped name is found whole.
fn words_of(pdf: &[u8]) -> String {
    poppler("pdftotext", &["-raw", "-", "-"], pdf)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn page_with(template: &str, data: &Value, expected: &[&str]) {
    let pdf = templates().pdf(template, data, at()).expect("a page");
    let info = poppler("pdfinfo", &["-"], &pdf);
    assert!(info.lines().any(|line| line == "Pages:           1"), "{info}");
    let words = words_of(&pdf);
    for text in expected {
        assert!(words.contains(text), "{text:?} is not in {words:?}");
    }
}

#[test]
fn a_birth_certificate_shows_every_name_intact_on_one_page() {
    page_with(
        BIRTH,
        &birth(),
        &[
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc",
            "GIẤY KHAI SINH",
            "Số: 15/2026",
            "ỦY BAN NHÂN DÂN XÃ HOẰNG HÓA",
            "NGUYỄN PHẠM QUỲNH NHƯ",
            "03/11/2026",
            "Ngày ba, tháng mười một, năm hai nghìn không trăm hai mươi sáu",
            "Phạm Thị Ngọc Diễm",
            "Nguyễn Đặng Thượng Khoẵng",
            "038326000015",
            "Lê Hữu Nghĩa",
            "MẪU – dữ liệu tổng hợp",
            "SPECIMEN – synthetic data",
            "http://127.0.0.1:8080/kiem-tra/H56.30-261120-0001",
        ],
    );
}

#[test]
fn a_receipt_shows_the_appointment_and_how_it_was_counted_on_one_page() {
    page_with(
        RECEIPT,
        &receipt(),
        &[
            "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ",
            "H56.30-261120-0001",
            "Phạm Thị Ngọc Diễm",
            "Đăng ký khai sinh (mã 1.001193)",
            "Giấy chứng nhận kết hôn của cha, mẹ Bản sao 2",
            "09 giờ 40 phút, ngày 20 tháng 11 năm 2026",
            "09 giờ 40 phút, ngày 25 tháng 11 năm 2026",
            "20/11: 5 giờ 20 phút; 21/11–22/11: nghỉ cuối tuần; 23/11–24/11: 8 giờ mỗi ngày; 25/11: 2 giờ 40 phút.",
            "Tổng cộng 24 giờ.",
            "15.500 đồng (đã thanh toán trực tuyến)",
            "Trần Thị Ánh Nguyệt",
        ],
    );
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_another_time_gives_others() {
    let (templates, data) = (templates(), birth());
    let first = templates.pdf(BIRTH, &data, at()).expect("a page");
    assert_eq!(
        templates.pdf(RECEIPT, &receipt(), at()),
        templates.pdf(RECEIPT, &receipt(), at())
    );
    assert_eq!(
        templates.pdf(BIRTH, &data, at()).expect("a page"),
        first,
        "with a warm memory"
    );
    assert_eq!(
        self::templates().pdf(BIRTH, &data, at()).expect("a page"),
        first,
        "loaded again"
    );
    assert_ne!(
        templates.pdf(BIRTH, &data, at().plus_ms(1_000)).expect("a page"),
        first
    );
}

#[test]
fn threads_that_draw_at_once_draw_the_same_bytes_as_one_alone() {
    let (templates, data) = (templates(), receipt());
    let alone = templates.pdf(RECEIPT, &data, at()).expect("a page");
    std::thread::scope(|scope| {
        let drawers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| templates.pdf(RECEIPT, &data, at()).expect("a page")))
            .collect();
        for drawer in drawers {
            assert_eq!(drawer.join().expect("no panic"), alone);
        }
    });
}

#[test]
fn a_missing_field_is_named_with_its_template() {
    for (template, mut data, parent, field) in [
        (BIRTH, birth(), "/child", "ethnicity"),
        (BIRTH, birth(), "/mother", "residence"),
        (RECEIPT, receipt(), "", "term"),
    ] {
        let object = data
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("an object");
        object.remove(field).expect("the field was there");
        let refused = templates()
            .pdf(template, &data, at())
            .expect_err("a field is missing");
        let RenderError::Template {
            template: named,
            message,
        } = &refused
        else {
            panic!("{refused}")
        };
        assert_eq!(named, template);
        assert!(message.contains(&format!("\"{field}\"")), "{message}");
        assert!(message.contains(&format!("{template}:")), "{message}");
    }
}

#[test]
fn names_of_two_hundred_characters_wrap_and_stay_on_one_page() {
    let name = "Nguyễn Thượng Khuếch Quỵnh Diễm ".repeat(7);
    let name: String = name.chars().take(200).collect::<String>().trim().to_owned();
    assert!(name.chars().count() >= 199);
    let mut data = birth();
    for place in [
        "/child/full_name",
        "/mother/full_name",
        "/father/full_name",
        "/declarant/full_name",
        "/signer/name",
    ] {
        *data.pointer_mut(place).expect("a name") = json!(name);
    }
    page_with(BIRTH, &data, &[&name, &name.to_uppercase()]);
    let mut data = receipt();
    data["applicant"]["full_name"] = json!(name);
    page_with(RECEIPT, &data, &[&name]);
}

#[test]
fn a_receipt_of_twelve_long_papers_still_is_one_page() {
    let mut data = receipt();
    let paper = json!({"name": "Văn bản ủy quyền có công chứng hoặc chứng thực theo quy định của pháp luật", "kind": "copy", "count": 3});
    data["papers"] = json!(vec![paper; 12]);
    page_with(RECEIPT, &data, &["12 Văn bản ủy quyền"]);
}

#[test]
fn a_child_without_a_known_father_has_an_empty_line_for_him() {
    let mut data = birth();
    data["father"] = Value::Null;
    data["specimen"] = json!(false);
    let pdf = templates().pdf(BIRTH, &data, at()).expect("a page");
    let words = words_of(&pdf);
    assert!(
        words.contains("Họ, chữ đệm, tên người cha: Năm sinh: Dân tộc: Quốc tịch: Nơi cư trú:"),
        "{words}"
    );
    assert!(!words.contains("SPECIMEN"), "{words}");
}

#[test]
fn the_pdf_says_its_title_language_date_and_that_it_is_tagged_and_archivable() {
    let pdf = templates().pdf(BIRTH, &birth(), at()).expect("a page");
    let info = poppler("pdfinfo", &["-isodates", "-"], &pdf);
    for line in [
        "Title:           Giấy khai sinh số 15/2026",
        "Tagged:          yes",
        "PDF version:     1.7",
        "CreationDate:    2026-11-20T",
    ] {
        assert!(info.contains(line), "{line:?} is not in {info}");
    }
    let raw = String::from_utf8_lossy(&pdf);
    assert!(raw.contains("/Lang(vi)"), "the document's language");
    let metadata = poppler("pdfinfo", &["-meta", "-"], &pdf);
    assert!(
        metadata.contains("pdfaid:part>2<") && metadata.contains("pdfaid:conformance>U<"),
        "{metadata}"
    );
}

#[test]
fn shared_parts_are_no_templates() {
    let names = templates().names();
    for name in [BIRTH, RECEIPT, "refusal.typ"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    assert!(names.iter().all(|name| !name.starts_with('_')), "{names:?}");
    for name in ["_common.typ", "none.typ", "../birth-certificate.typ"] {
        assert_eq!(
            templates().pdf(name, &birth(), at()),
            Err(RenderError::NoTemplate(name.to_owned()))
        );
    }
}

#[test]
fn a_copy_of_an_entry_says_what_the_register_answered() {
    let url = "http://127.0.0.1:8080/verify/extract-G22-261121-0002";
    let data = json!({
        "number": "15/2026", "case_code": "G22-261121-0002",
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa", "province": "tỉnh Thanh Hóa", "place": "Hoằng Hóa"},
        "applicant": {"full_name": "Phạm Thị Ngọc Diễm"}, "decided_at": at(),
        "record": {
            "act_number": "15/2026", "registered_on": "2026-11-20", "book": "Ủy ban nhân dân xã Hoằng Hóa",
            "child": {"full_name": "Nguyễn Phạm Quỳnh Như", "sex": "Nữ", "date_of_birth": "2026-11-03"},
            "mother": {"full_name": "Phạm Thị Ngọc Diễm"},
        },
        "signer": {"position": "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH", "name": "Lê Hữu Nghĩa"},
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    });
    page_with(
        "birth-extract.typ",
        &data,
        &["TRÍCH LỤC KHAI SINH", "15/2026", "03/11/2026", "KT. CHỦ TỊCH"],
    );
}

#[test]
fn a_money_receipt_says_what_was_paid_for_and_how() {
    let url = "http://127.0.0.1:8082/verify/fee-receipt-G22-261121-0002";
    let data = json!({
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa", "province": "tỉnh Thanh Hóa", "place": "Hoằng Hóa"},
        "case_code": "G22-261121-0002", "payer": {"full_name": "Phạm Thị Ngọc Diễm"},
        "procedure": {"code": "2.000635", "name": "Cấp bản sao Trích lục khai sinh"},
        "fee": {"name": "Lệ phí cấp bản sao", "amount": 16000, "legal_basis": "281/2016/TT-BTC"},
        "paid_at": at(), "bank_reference": "SIM123",
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    });
    page_with(
        "fee-receipt.typ",
        &data,
        &["BIÊN LAI THU PHÍ", "16.000 đồng", "SIM123"],
    );
}

#[test]
fn the_register_of_a_day_and_the_sheet_of_a_case_show_every_row() {
    let agency = json!({"name": "Ủy ban nhân dân xã Hoằng Hóa", "place": "Hoằng Hóa"});
    let entry = |number: u32| {
        json!({
            "code": format!("H56.30-261120-{number:04}"), "procedure": "Đăng ký khai sinh",
            "applicant": "Phạm Thị Ngọc Diễm", "channel": "Nộp trực tiếp", "status": "Đang xử lý",
            "filed_at": at(), "due_at": at(), "returned_at": null,
        })
    };
    let entries: Vec<Value> = (1..=120).map(entry).collect();
    let data = json!({"agency": agency, "day": "2026-11-20", "entries": entries, "specimen": true});
    let pdf = templates().pdf("register.typ", &data, at()).expect("a register");
    let info = poppler("pdfinfo", &["-"], &pdf);
    assert!(
        info.lines()
            .any(|line| line.starts_with("Page size") && line.contains("841.89 x 595.27")),
        "A4, landscape: {info}"
    );
    let words = words_of(&pdf);
    for text in [
        "SỔ THEO DÕI HỒ SƠ",
        "H56.30-261120-0001",
        "H56.30-261120-0120",
        "09:40 20/11/2026",
    ] {
        assert!(words.contains(text), "{text:?} is not in {words:?}");
    }
    let data = json!({
        "agency": agency, "case_code": "H56.30-261120-0001",
        "applicant": {"full_name": "Phạm Thị Ngọc Diễm"},
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "received_at": at(), "due_at": null, "standing": "Đang giải quyết", "written_at": at(), "specimen": true,
        "steps": [{"at": "09:40 ngày 20/11/2026", "what": "Tiếp nhận hồ sơ", "by": "Trần Thị Ánh Nguyệt"}],
    });
    page_with(
        "process-sheet.typ",
        &data,
        &[
            "PHIẾU KIỂM SOÁT QUÁ TRÌNH GIẢI QUYẾT HỒ SƠ",
            "Tiếp nhận hồ sơ",
            "Trần Thị Ánh Nguyệt",
            "chưa tính",
        ],
    );
}

#[test]
fn a_shipping_slip_says_who_gets_the_result_where_and_what_the_post_takes() {
    let mut data = json!({
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa", "place": "Hoằng Hóa"},
        "case_code": "H56.30-261120-0001",
        "applicant": {"full_name": "Phạm Thị Ngọc Diễm", "address": "Thôn 3, Xã Hoằng Hóa, Tỉnh Thanh Hóa", "phone": null},
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "parcel": null, "handed_over_at": null, "dong": 30_000, "days": 2, "written_at": at(), "specimen": true,
    });
    let words = [
        "PHIẾU GỬI KẾT QUẢ QUA DỊCH VỤ BƯU CHÍNH CÔNG ÍCH",
        "Phạm Thị Ngọc Diễm",
        "Thôn 3, Xã Hoằng Hóa, Tỉnh Thanh Hóa",
        "30.000 đồng",
    ];
    page_with("shipping-slip.typ", &data, &words);
    data["parcel"] = json!("RA123456785VN");
    data["handed_over_at"] = json!(at());
    data["applicant"]["phone"] = json!("0912345678");
    page_with("shipping-slip.typ", &data, &["RA123456785VN", "0912345678"]);
}

#[test]
fn a_notice_that_a_case_is_stopped_says_why_and_a_number_of_a_queue_has_no_name() {
    let url = "http://127.0.0.1:8080/verify/stopped-H56.30-261120-0001";
    let data = json!({
        "agency": {
            "name": "Ủy ban nhân dân xã Hoằng Hóa",
            "unit": "Trung tâm Phục vụ hành chính công", "place": "Hoằng Hóa",
        },
        "case_code": "H56.30-261120-0001", "applicant": {"full_name": "Phạm Thị Ngọc Diễm"},
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "filed_at": at(), "written_at": at(), "reason": "Quá thời hạn bổ sung",
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    });
    page_with(
        "stop-notice.typ",
        &data,
        &[
            "THÔNG BÁO DỪNG GIẢI QUYẾT HỒ SƠ",
            "Phạm Thị Ngọc Diễm",
            "Quá thời hạn bổ sung",
        ],
    );
    let data = json!({
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa", "unit": "Trung tâm Phục vụ hành chính công",
                   "place": "Hoằng Hóa"},
        "case_code": "H56.30-261120-0001", "applicant": {"full_name": "Phạm Thị Ngọc Diễm"},
        "procedure": {"code": "1.013225", "name": "Cấp giấy phép xây dựng mới"},
        "filed_at": at(), "written_at": at(), "until": at(), "counts": false,
        "charge": {"name": "Lệ phí cấp giấy phép xây dựng", "amount": 75_000, "ground": "Nhà ở riêng lẻ, một giấy phép",
                   "legal_basis": "97/2015/QH13"},
        "check_url": url, "qr_svg": qr_svg(url).expect("a code"), "specimen": true,
    });
    page_with(
        "charge-notice.typ",
        &data,
        &[
            "THÔNG BÁO THỰC HIỆN NGHĨA VỤ TÀI CHÍNH",
            "75.000 đồng",
            "Nhà ở riêng lẻ, một giấy phép",
        ],
    );
    let data = json!({
        "agency": {"name": "Ủy ban nhân dân xã Hoằng Hóa"}, "number": 27, "before": 4, "taken_at": at(),
        "specimen": true,
    });
    page_with(
        "queue-ticket.typ",
        &data,
        &["SỐ THỨ TỰ", "27", "Còn 4 số phía trước"],
    );
}
