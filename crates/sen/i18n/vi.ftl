# Tên các nút của quốc gia mẫu và các liên kết ở đầu trang.
sen-title-national = Cổng Dịch vụ công quốc gia (mẫu)
sen-title-ministry = Bộ Công an – Bộ Tư pháp (mẫu)
sen-title-province = Một cửa tỉnh Thanh Hóa (mẫu)
sen-nav-procedures = Thủ tục
sen-nav-cases = Hồ sơ của tôi
sen-nav-usage = Ai đã đọc dữ liệu của tôi
sen-nav-desk = Hồ sơ cần giải quyết
sen-nav-track = Tra cứu hồ sơ
sen-nav-supervise = Giám sát
sen-nav-moves = Phân công
sen-nav-agreements = Thỏa thuận
sen-nav-services = Dịch vụ
sen-nav-figures = Số liệu
sen-nav-verify = Kiểm tra chữ ký số
sen-title-portal = Cổng Dịch vụ công
sen-title-desk = Bộ phận Một cửa
sen-title-node = Nút chia sẻ dữ liệu
