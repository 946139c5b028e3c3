mod hostile;
mod ocsp;
mod openssl;
mod openssl_suite;
mod pkits;
mod scopes;

use super::*;
