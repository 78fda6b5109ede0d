# Nghĩa vụ phải hoàn thành: thông báo khi không thực hiện được.
problem-obligation-lifted = Nghĩa vụ này không còn hiệu lực
    .rule = Nghĩa vụ đã được gỡ bỏ thì không thể ghi nhận là đã hoàn thành.
    .remedy = Tải lại trang để xem trạng thái mới nhất của hồ sơ.
problem-obligation-met = Nghĩa vụ này đã hoàn thành
    .rule = Nghĩa vụ đã hoàn thành thì không thể gỡ bỏ.
    .remedy = Tải lại trang để xem trạng thái mới nhất của hồ sơ.
