mod pkits;

use super::*;
