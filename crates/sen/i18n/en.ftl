# The names of the sample nation's nodes and the links in the header.
sen-title-national = National public-service portal (sample)
sen-title-ministry = Ministries of Public Security and Justice (sample)
sen-title-province = One-stop desks of Thanh Hóa (sample)
sen-nav-procedures = Procedures
sen-nav-cases = My cases
sen-nav-usage = Who read my data
sen-nav-desk = Worklist
sen-nav-track = Track a case
sen-nav-supervise = Supervision
sen-nav-moves = Assignment
sen-nav-agreements = Agreements
sen-nav-services = Services
sen-nav-figures = Figures
sen-nav-verify = Check a signature
sen-title-portal = Public-service portal
sen-title-desk = One-stop desks
sen-title-node = Data exchange node
