//! What the example hosts share.
