# Quy tắc của các sổ, cơ sở dữ liệu trong gói.
pack-register-twice = sổ “{ $value }” cũng được khai báo trong { $first }
    .remedy = Đặt cho mỗi sổ một mã riêng.
pack-field-undeclared = không khai báo trường “{ $value }”
    .remedy = Khai báo trường này, hoặc ghi một trường đã khai báo.
pack-field-twice = trường “{ $value }” được khai báo hai lần
    .remedy = Bỏ một trong hai.
pack-object-fields = “{ $value }” phải là object có các trường con, hoặc không có trường con
    .remedy = Đặt kiểu object cho trường, hoặc bỏ các trường con.
pack-service-twice = dịch vụ “{ $value }” được khai báo hai lần
    .remedy = Đặt cho mỗi dịch vụ một mã riêng.
pack-once-no-link = bản ghi được cấp một lần cho mỗi “{ $value }”, nhưng trường này không phải là liên kết
    .remedy = Khai báo một liên kết với trường đó.
