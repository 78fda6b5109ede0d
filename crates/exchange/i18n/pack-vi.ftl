# Quy tắc của các thỏa thuận trong gói.
pack-agreement-twice = số “{ $value }” cũng là số của { $first }
    .remedy = Đặt cho mỗi thỏa thuận một số riêng.
pack-agreement-item-empty = “{ $value }” để trống
    .remedy = Ghi điều hai bên đã thỏa thuận: đây là một trong mười hai nội dung của Điều 38 Nghị định 47/2020/NĐ-CP.
pack-system-id = “{ $value }” không phải hệ thống
    .remedy = Ghi cơ quan/hệ thống: G22/portal.
pack-service-of-another = “{ $value }” không phải dịch vụ của bên cung cấp
    .remedy = Sửa bên cung cấp hoặc dịch vụ.
pack-terms-twice = ngày “{ $value }” đã có quy tắc
    .remedy = Mỗi ngày chỉ giữ một quy tắc.
pack-terms-days = { $value } không phải số ngày làm việc
    .remedy = Ghi một số nguyên từ 1 đến 250.
pack-retention-days = { $value } không phải số ngày
    .remedy = Ghi một số nguyên từ 0 đến 73.000; số 0 để bên vận hành tự chọn thời hạn.
pack-retention-name = “{ $value }” không phải tên nhóm thời hạn lưu
    .remedy = Đặt cho nhóm một tên riêng; “operator” là nhóm của những gì không nhóm nào nêu.
