//! Names as they are common in Vietnam, by sex, and how often the great families occur. Never
//! taken from a list of real people.

use kernel::codes::Sex;

use super::chance::Stream;

/// Family names with their share, in parts of a thousand (rough figures from memory).
const FAMILIES: [(&str, usize); 32] = [
    ("Nguyễn", 315),
    ("Trần", 105),
    ("Lê", 95),
    ("Phạm", 70),
    ("Hoàng", 35),
    ("Huỳnh", 20),
    ("Phan", 43),
    ("Vũ", 24),
    ("Võ", 16),
    ("Đặng", 21),
    ("Bùi", 22),
    ("Đỗ", 19),
    ("Hồ", 15),
    ("Ngô", 14),
    ("Dương", 14),
    ("Lý", 10),
    ("Đinh", 12),
    ("Trịnh", 12),
    ("Mai", 11),
    ("Lương", 11),
    ("Hà", 14),
    ("Cao", 10),
    ("Tạ", 8),
    ("Lưu", 8),
    ("Tô", 7),
    ("Đoàn", 10),
    ("Trương", 19),
    ("Vương", 8),
    ("Quách", 8),
    ("Tống", 8),
    ("Thái", 8),
    ("Kiều", 8),
];

const MIDDLES_MALE: [&str; 22] = [
    "Văn", "Văn", "Văn", "Hữu", "Đức", "Công", "Quang", "Minh", "Xuân", "Đình", "Ngọc", "Thanh", "Quốc",
    "Gia", "Bá", "Trọng", "Duy", "Anh", "Hoàng", "Mạnh", "Thế", "Tiến",
];
const MIDDLES_FEMALE: [&str; 24] = [
    "Thị",
    "Thị",
    "Thị",
    "Thị",
    "Thị",
    "Thị Thu",
    "Thị Thanh",
    "Thị Ngọc",
    "Thị Minh",
    "Thị Kim",
    "Ngọc",
    "Thu",
    "Thanh",
    "Phương",
    "Minh",
    "Hồng",
    "Bích",
    "Thùy",
    "Quỳnh",
    "Khánh",
    "Diệu",
    "Hoài",
    "Bảo",
    "Tú",
];
const GIVEN_MALE: [&str; 48] = [
    "An", "Bình", "Chiến", "Cường", "Dũng", "Duy", "Dương", "Đạt", "Đông", "Đức", "Giang", "Hà", "Hải",
    "Hào", "Hiếu", "Hòa", "Hoàng", "Hùng", "Huy", "Hưng", "Khang", "Khánh", "Khoa", "Kiên", "Lâm", "Long",
    "Lộc", "Minh", "Nam", "Nghĩa", "Nhân", "Phong", "Phúc", "Quân", "Quang", "Sơn", "Tài", "Tâm", "Thành",
    "Thắng", "Thịnh", "Tiến", "Toàn", "Trung", "Tuấn", "Tùng", "Việt", "Vinh",
];
const GIVEN_FEMALE: [&str; 48] = [
    "Anh",
    "Ánh",
    "Bình",
    "Châu",
    "Chi",
    "Cúc",
    "Diệp",
    "Dung",
    "Duyên",
    "Giang",
    "Hà",
    "Hạnh",
    "Hằng",
    "Hiền",
    "Hoa",
    "Hòa",
    "Hồng",
    "Huệ",
    "Huyền",
    "Hương",
    "Lan",
    "Liên",
    "Linh",
    "Loan",
    "Ly",
    "Mai",
    "My",
    "Nga",
    "Ngân",
    "Ngọc",
    "Nguyệt",
    "Nhung",
    "Oanh",
    "Phương",
    "Phượng",
    "Quyên",
    "Thảo",
    "Thoa",
    "Thơm",
    "Thủy",
    "Trang",
    "Trinh",
    "Tuyết",
    "Uyên",
    "Vân",
    "Vy",
    "Xuân",
    "Yến",
];

const STREETS: [&str; 24] = [
    "Lê Lợi",
    "Trần Phú",
    "Quang Trung",
    "Nguyễn Trãi",
    "Lý Thường Kiệt",
    "Hai Bà Trưng",
    "Trần Hưng Đạo",
    "Nguyễn Huệ",
    "Lê Thánh Tông",
    "Phan Bội Châu",
    "Phan Chu Trinh",
    "Hùng Vương",
    "Lê Hồng Phong",
    "Ngô Quyền",
    "Đinh Tiên Hoàng",
    "Lê Hoàn",
    "Hoàng Hoa Thám",
    "Nguyễn Du",
    "Tô Hiến Thành",
    "Bà Triệu",
    "Nguyễn Công Trứ",
    "Chu Văn An",
    "Điện Biên Phủ",
    "Trường Chinh",
];

/// A family name.
pub(super) fn family(chance: &mut Stream) -> &'static str {
    let total = FAMILIES.iter().map(|(_, share)| share).sum();
    let mut at = chance.below(total);
    for (name, share) in FAMILIES {
        if at < share {
            return name;
        }
        at -= share;
    }
    FAMILIES[0].0
}

/// A full name of a family.
pub(super) fn full(chance: &mut Stream, family: &str, sex: Sex) -> String {
    let (middles, givens): (&[&str], &[&str]) = match sex {
        Sex::Male => (&MIDDLES_MALE, &GIVEN_MALE),
        Sex::Female => (&MIDDLES_FEMALE, &GIVEN_FEMALE),
    };
    let middle = chance.pick(middles);
    let mut given = chance.pick(givens);
    while middle.ends_with(given) || family == given {
        given = chance.pick(givens);
    }
    let mut name = String::with_capacity(family.len() + middle.len() + given.len() + 2);
    for (at, word) in [family, middle, given].into_iter().enumerate() {
        if at > 0 {
            name.push(' ');
        }
        name.push_str(word);
    }
    name
}

/// A house in a street, or a hamlet.
pub(super) fn line(chance: &mut Stream, urban: bool) -> String {
    if urban {
        let street = chance.pick(&STREETS);
        format!("Số {} đường {street}", 1 + chance.below(280))
    } else {
        format!("Thôn {}", 1 + chance.below(14))
    }
}
