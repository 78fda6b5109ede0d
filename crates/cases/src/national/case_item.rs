//! An item of `DongBoHoSoMC`: a case, whole, under the portal's own names of fields. Pure.

use serde::{Deserialize, Serialize};

use super::message::text;

/// A case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseItem {
    /// Its code.
    #[serde(rename = "MaHoSo", deserialize_with = "text")]
    pub code: String,
    /// Its procedure.
    #[serde(rename = "MaTTHC", deserialize_with = "text")]
    pub procedure: String,
    /// The procedure's name.
    #[serde(rename = "TenTTHC", deserialize_with = "text")]
    pub procedure_name: String,
    /// The procedure's field, by code.
    #[serde(rename = "MaLinhVuc", deserialize_with = "text")]
    pub field: String,
    /// The field's name.
    #[serde(rename = "TenLinhVuc", deserialize_with = "text")]
    pub field_name: String,
    /// The number of the receipt.
    #[serde(rename = "SoBienNhan", deserialize_with = "text")]
    pub receipt: String,
    /// The applicant's name.
    #[serde(rename = "ChuHoSo", deserialize_with = "text")]
    pub applicant: String,
    /// 1 a person, 2 a business.
    #[serde(rename = "LoaiDoiTuong", deserialize_with = "text")]
    pub applicant_kind: String,
    /// The applicant's personal number or tax code.
    #[serde(rename = "MaDoiTuong", deserialize_with = "text")]
    pub applicant_number: String,
    /// Anything else.
    #[serde(rename = "ThongTinKhac", deserialize_with = "text")]
    pub other: String,
    /// The applicant's e-mail address.
    #[serde(rename = "Email", deserialize_with = "text")]
    pub email: String,
    /// The applicant's fax number.
    #[serde(rename = "Fax", deserialize_with = "text")]
    pub fax: String,
    /// The applicant's telephone number.
    #[serde(rename = "SoDienThoai", deserialize_with = "text")]
    pub phone: String,
    /// What it is about.
    #[serde(rename = "TrichYeuHoSo", deserialize_with = "text")]
    pub about: String,
    /// When it was accepted.
    #[serde(rename = "NgayTiepNhan", deserialize_with = "text")]
    pub accepted: String,
    /// By when its result is owed.
    #[serde(rename = "NgayHenTra", deserialize_with = "text")]
    pub due: String,
    /// Its status, 1 to 10.
    #[serde(rename = "TrangThaiHoSo", deserialize_with = "text")]
    pub status: String,
    /// When its result was given.
    #[serde(rename = "NgayTra", deserialize_with = "text")]
    pub returned: String,
    /// How it was given.
    #[serde(rename = "ThongTinTra", deserialize_with = "text")]
    pub returned_how: String,
    /// 0 at the counter, 1 by post.
    #[serde(rename = "HinhThuc", deserialize_with = "text")]
    pub way: String,
    /// When it was decided.
    #[serde(rename = "NgayKetThucXuLy", deserialize_with = "text")]
    pub ended: String,
    /// Which unit handles it.
    #[serde(rename = "DonViXuLy", deserialize_with = "text")]
    pub unit: String,
    /// A note.
    #[serde(rename = "GhiChu", deserialize_with = "text")]
    pub note: String,
    /// What was handed in.
    #[serde(rename = "TaiLieuNop")]
    pub papers: Vec<PaperItem>,
    /// What it costs.
    #[serde(rename = "DanhSachLePhi")]
    pub fees: Vec<FeeItem>,
    /// What was asked for.
    #[serde(rename = "DanhSachHoSoBoSung")]
    pub supplements: Vec<SupplementItem>,
    /// What was given.
    #[serde(rename = "DanhSachGiayToKetQua")]
    pub results: Vec<ResultItem>,
}

/// A paper that was handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaperItem {
    /// The file's id.
    #[serde(rename = "TepDinhKemId", deserialize_with = "text")]
    pub id: String,
    /// The file's name.
    #[serde(rename = "TenTepDinhKem", deserialize_with = "text")]
    pub name: String,
    /// `True` for one that was taken back.
    #[serde(rename = "IsDeleted", deserialize_with = "text")]
    pub deleted: String,
    /// The paper's code in the procedure.
    #[serde(rename = "MaThanhPhanHoSo", deserialize_with = "text")]
    pub code: String,
    /// Where it can be fetched.
    #[serde(rename = "DuongDanTaiTepTin", deserialize_with = "text")]
    pub path: String,
}

/// A fee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeeItem {
    /// Its name.
    #[serde(rename = "TenPhiLePhi", deserialize_with = "text")]
    pub name: String,
    /// Its code.
    #[serde(rename = "MaPhiLePhi", deserialize_with = "text")]
    pub code: String,
    /// How it is collected.
    #[serde(rename = "HinhThucThu", deserialize_with = "text")]
    pub way: String,
    /// The amount in dong.
    #[serde(rename = "Gia", deserialize_with = "text")]
    pub dong: String,
    /// What kind of fee it is.
    #[serde(rename = "LoaiPhiLePhi", deserialize_with = "text")]
    pub kind: String,
}

/// Something that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupplementItem {
    /// Its id.
    #[serde(rename = "HoSoBoSungId", deserialize_with = "text")]
    pub id: String,
    /// Who asked.
    #[serde(rename = "NguoiYeuCauBoSung", deserialize_with = "text")]
    pub by: String,
    /// What for.
    #[serde(rename = "NoiDungBoSung", deserialize_with = "text")]
    pub what: String,
    /// When.
    #[serde(rename = "NgayBoSung", deserialize_with = "text")]
    pub at: String,
    /// Who took it.
    #[serde(rename = "NguoiTiepNhanBoSung", deserialize_with = "text")]
    pub taken_by: String,
    /// How it came.
    #[serde(rename = "ThongTinTiepNhan", deserialize_with = "text")]
    pub taken_how: String,
    /// When it came.
    #[serde(rename = "NgayTiepNhanBoSung", deserialize_with = "text")]
    pub taken: String,
    /// Where it stands.
    #[serde(rename = "TrangThaiBoSung", deserialize_with = "text")]
    pub state: String,
    /// By when the result was owed before.
    #[serde(rename = "NgayHenTraTruoc", deserialize_with = "text")]
    pub was_due: String,
    /// By when it is owed since.
    #[serde(rename = "NgayHenTraMoi", deserialize_with = "text")]
    pub due: String,
}

/// A result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResultItem {
    /// Its id.
    #[serde(rename = "MaKetQua", deserialize_with = "text")]
    pub id: String,
    /// Its name.
    #[serde(rename = "TenGiayTo", deserialize_with = "text")]
    pub name: String,
    /// Its number.
    #[serde(rename = "SoKyHieu", deserialize_with = "text")]
    pub number: String,
    /// Who issued it.
    #[serde(rename = "CoQuanChuQuan", deserialize_with = "text")]
    pub issuer: String,
    /// Its files.
    #[serde(rename = "DanhSachTepDinhKem")]
    pub files: Vec<FileItem>,
}

/// A file of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileItem {
    /// Its name.
    #[serde(rename = "TenTep", deserialize_with = "text")]
    pub name: String,
    /// Where it can be checked.
    #[serde(rename = "DuongDan", deserialize_with = "text")]
    pub path: String,
}
