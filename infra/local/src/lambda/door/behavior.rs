//! Behaviours of a front door that AWS does not document, or that differ between reports. The first value is the default.

/// Whether a response header of the function reaches the client under its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// As `x-amzn-remapped-NAME`.
    Renamed,
    /// Under its own name.
    Kept,
}

/// The `Content-Length` of a response to HEAD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadLength {
    /// The length of the body that the function returned, 0 without one. The function's own header is renamed.
    #[default]
    Computed,
    /// No such header at all. The function's own is renamed.
    None,
    /// The function's own.
    Kept,
}

/// What a function URL does with a request that has two `Authorization` headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepeatedAuthorization {
    /// It answers 400, and the function is not invoked.
    #[default]
    Refused,
    /// The function gets one header with both values, separated by a comma.
    Joined,
}

/// What a function URL does with a slash at the end of `requestContext.http.path`. `rawPath` always keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// It removes one.
    #[default]
    Dropped,
    /// It leaves the path as it is.
    Kept,
}

/// What a function URL does with a request that has `Transfer-Encoding: chunked` and no length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChunkedRequests {
    /// The function gets the whole body, and its length as `Content-Length`.
    #[default]
    Accepted,
    /// It answers 411.
    Refused,
}

/// Which request bodies travel as base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// Those that are not text by their Content-Type, as documented ("If the content type of the request is binary"): not
    /// `text/*`, JSON, XML or JavaScript. A body without a type, or that is not UTF-8, is binary too.
    #[default]
    BinaryInBase64,
    /// All: a third more, so that less fits.
    AllInBase64,
}
