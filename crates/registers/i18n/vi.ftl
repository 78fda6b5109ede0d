# Ai đã đọc dữ liệu của tôi
registers-usage-title = Ai đã đọc dữ liệu của tôi
registers-usage-lead = Mỗi lần một cơ quan đọc thông tin của bạn trong cơ sở dữ liệu quốc gia về dân cư đều được ghi lại tại đây: cơ quan nào, để làm gì, theo căn cứ pháp lý nào.
registers-usage-empty = Chưa có cơ quan nào đọc dữ liệu của bạn.
registers-usage-end = Không còn lần đọc nào trước đó.
registers-usage-when = Thời điểm
registers-usage-who = Cơ quan, hệ thống
registers-usage-why = Mục đích và căn cứ
registers-usage-what = Thông tin đã đọc
registers-usage-case = Hồ sơ
registers-usage-request = Mã giao dịch
registers-usage-older = Các lần đọc cũ hơn
registers-usage-newest = Các lần đọc mới nhất
registers-usage-pages = Các trang
registers-usage-by-citizen = theo yêu cầu của công dân
registers-usage-by-official = theo yêu cầu của cán bộ
registers-usage-by-system = hệ thống tự thực hiện

# Các lỗi của cơ sở dữ liệu
problem-record-not-found = Không tìm thấy bản ghi
    .rule = Cơ sở dữ liệu không có bản ghi nào ứng với thông tin đã cho, tại thời điểm được hỏi.
    .remedy = Kiểm tra lại số định danh hoặc mã đã nhập rồi tra cứu lại.
problem-record-no-field = Thỏa thuận không cho phép đọc
    .rule = Thỏa thuận chia sẻ dữ liệu không cho phép đọc trường nào của cơ sở dữ liệu này.
    .remedy = Đề nghị cơ quan chủ quản bổ sung trường dữ liệu vào thỏa thuận.
problem-record-lookup-key = Cần đúng một khóa tra cứu
    .rule = Mỗi lần tra cứu cần đúng một trong các khóa: { $keys }.
    .remedy = Chỉ gửi một khóa rồi tra cứu lại.
problem-record-field-unknown = Trường không được khai báo
    .rule = Cơ sở dữ liệu không có trường này.
    .remedy = Bỏ trường này hoặc sửa lại tên trường rồi gửi lại.
problem-record-field-assigned = Trường do cơ sở dữ liệu cấp
    .rule = Giá trị của trường này do cơ sở dữ liệu tự cấp, không nhận từ bên ngoài.
    .remedy = Bỏ trường này khỏi yêu cầu rồi gửi lại.
problem-record-field-required = Thiếu thông tin
    .rule = Thông tin này là bắt buộc.
    .remedy = Bổ sung thông tin rồi gửi lại.
problem-record-field-kind = Thông tin sai kiểu
    .rule = Trường này phải là { $kind ->
        [text] một dòng chữ
        [number] số nguyên
        [date] ngày theo dạng năm-tháng-ngày
        [code] mã
        [person] số định danh cá nhân
        [business] mã số thuế của tổ chức
        [flag] giá trị đúng hoặc sai
       *[object] một nhóm thông tin
    }.
    .remedy = Sửa lại giá trị theo mô tả giao diện rồi gửi lại.
problem-record-text-long = Nội dung quá dài
    .rule = Trường này có tối đa { $max } ký tự.
    .remedy = Rút ngắn nội dung rồi gửi lại.
problem-record-code-unknown = Mã không hợp lệ
    .rule = Mã này không thuộc danh mục của trường.
    .remedy = Chọn một mã trong danh mục rồi gửi lại.
problem-record-date-bad = Ngày không hợp lệ
    .rule = Lịch không có ngày này; ngày được viết theo dạng năm-tháng-ngày, ví dụ 2026-11-21.
    .remedy = Kiểm tra lại ngày, tháng, năm rồi gửi lại.
problem-record-date-future = Ngày nằm trong tương lai
    .rule = Ngày này không được sau ngày hôm nay.
    .remedy = Kiểm tra lại ngày, tháng, năm rồi gửi lại.
problem-record-number-bad = Số định danh cá nhân không hợp lệ
    .rule = Số định danh cá nhân có đúng 12 chữ số.
    .remedy = Xem lại thẻ căn cước rồi nhập lại số.
problem-record-change-undone = Việc ghi này đã được hủy
    .rule = Nội dung hồ sơ này đã ghi vào cơ sở dữ liệu đã được hủy, không ghi lại theo cùng hồ sơ.
    .remedy = Đề nghị ghi bằng một hồ sơ mới.
problem-record-changed-since = Dữ liệu đã thay đổi sau đó
    .rule = Chỉ hủy được việc ghi khi chưa có thay đổi nào khác trong cùng bản ghi.
    .remedy = Xem bản ghi hiện tại và chỉnh sửa bằng một hồ sơ mới.
problem-record-business-bad = Mã số thuế không hợp lệ
    .rule = Mã số thuế của tổ chức có 10 chữ số, chữ số cuối để kiểm tra; đơn vị phụ thuộc thêm dấu gạch và 3 chữ số.
    .remedy = Xem lại giấy chứng nhận đăng ký doanh nghiệp rồi nhập lại mã số.
problem-record-number-misfit = Số định danh không khớp với người này
    .rule = Theo Nghị định 137/2015/NĐ-CP, số định danh cá nhân mang mã thế kỷ, giới tính và năm sinh; { $what ->
        [sex] giới tính
       *[year] năm sinh
    } trong số này khác với thông tin đã khai.
    .remedy = Đối chiếu số định danh, ngày sinh và giới tính với giấy tờ rồi sửa thông tin sai.
problem-record-place-unknown = Không xác định được nơi sinh
    .rule = Số định danh cá nhân cần mã tỉnh, thành phố nơi đăng ký khai sinh.
    .remedy = Chọn lại nơi sinh hoặc nơi đăng ký theo danh mục đơn vị hành chính.
problem-record-key-missing = Thiếu khóa chống trùng
    .rule = Yêu cầu làm thay đổi dữ liệu ở cơ quan khác phải mang khóa chống trùng.
    .remedy = Gửi lại yêu cầu kèm khóa chống trùng của lần thay đổi này.
problem-record-key-reused = Khóa chống trùng đã dùng cho yêu cầu khác
    .rule = Một khóa chống trùng chỉ dùng cho một yêu cầu có cùng nội dung.
    .remedy = Gửi lại đúng nội dung cũ, hoặc rút yêu cầu trước rồi gửi yêu cầu mới.
problem-record-numbers-used-up = Không còn số định danh để cấp
    .rule = Không tìm được số còn trống cho nơi sinh, giới tính và năm sinh này.
    .remedy = Thử lại; nếu vẫn lỗi, báo cơ quan quản lý cơ sở dữ liệu dân cư.
problem-record-number-refused = Số định danh nhận được không dùng được
    .rule = Cơ sở dữ liệu dân cư đã trả về một số không khớp với trẻ được khai sinh; số đó đã được trả lại.
    .remedy = Gửi lại yêu cầu; nếu vẫn lỗi, báo cơ quan quản lý cơ sở dữ liệu dân cư.
problem-record-book-not-yours = Sổ hộ tịch của cơ quan khác
    .rule = Chỉ cơ quan giữ sổ { $book } mới được ghi vào sổ đó.
    .remedy = Chuyển hồ sơ đến cơ quan giữ sổ, hoặc sửa lại nơi đăng ký.
problem-record-act-withdrawn = Việc đăng ký đã được rút lại
    .rule = Việc đăng ký này đã bị rút lại trong khi đang thực hiện; số định danh đã được trả lại.
    .remedy = Kiểm tra hồ sơ; nếu vẫn cần đăng ký, gửi lại yêu cầu.
problem-record-act-there = Trẻ này đã được đăng ký khai sinh
    .rule = Mỗi trẻ chỉ có một việc đăng ký khai sinh và một số định danh: đã có số { $act } tại sổ { $book }.
    .remedy = Kiểm tra việc đăng ký đã có; nếu cần, cấp bản sao từ đó. Nếu là trẻ khác, sửa lại họ tên.
