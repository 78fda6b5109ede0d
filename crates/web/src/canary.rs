//! For tests: keeps every log line, so that a test can plant a canary and look for it. Never part
//! of a running node.
