//! A request's way past the log and the faults.

use std::sync::Arc;

use http::{HeaderValue, Method, Response, header};
use http_body_util::BodyExt as _;

use super::body::{Cut, ResponseBody};
use super::caller::Caller;
use super::fault::Fault;
use super::log::Place;
use super::recorded::{Arrived, Service};
use super::{Front, answer};

/// The request gets no answer: its connection is to be reset.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on command")]
pub(crate) struct Dropped;

/// What is to be done with a request that has been recorded.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Carry it out, and pass its answer through [`Admitted::finish`].
    Forward(Admitted),
    /// Answer so, and do not carry it out.
    Refuse(Response<ResponseBody>),
}

/// A request that may be carried out.
#[derive(Debug)]
pub(crate) struct Admitted {
    front: Front,
    place: Place,
    fault: Option<Fault>,
    /// Who is to be asked for permissions; none where nothing has to be decided: the sender is unknown, or may do everything.
    pub(crate) caller: Option<Caller>,
}

impl Front {
    /// Records a request and plays the fault that is armed for it, if any.
    ///
    /// # Errors
    /// [`Dropped`] when the fault is to reset the connection.
    pub(crate) async fn admit(&self, arrived: Arrived, method: &Method) -> Result<Admission, Dropped> {
        let service = arrived.service;
        let fault = self.faults.strike(&arrived);
        let principal = arrived.access_key.as_deref().and_then(|key| self.identities.find(key));
        let identity = principal.as_ref().map(|principal| principal.identity.name.clone());
        // Kept only where a policy decides: most requests are of somebody who may do everything.
        let judged = principal.filter(|principal| principal.identity.policy.is_some());
        let judged = judged.map(|principal| (principal, Arc::new(arrived.clone())));
        let place = self.log.open(arrived, identity, fault.as_ref().map(|fault| fault.name().to_owned()));
        let forward = |fault| {
            let caller = judged.map(|(principal, request)| Caller::new(self.clone(), place, principal, request));
            Admission::Forward(Admitted { front: self.clone(), place, fault, caller })
        };
        let (status, code) = match (&fault, service) {
            (Some(Fault::Throttle), Service::S3) => (503, "SlowDown"),
            (Some(Fault::Throttle), Service::DynamoDb) => (400, "ProvisionedThroughputExceededException"),
            (Some(Fault::Throttle), Service::Sts) => (400, "Throttling"),
            (Some(Fault::Throttle), Service::Oidc) => (429, "too_many_requests"),
            (Some(Fault::InternalError), Service::S3) => (500, "InternalError"),
            (Some(Fault::InternalError), Service::Sts) => (500, "InternalFailure"),
            (Some(Fault::InternalError), Service::Oidc) => (500, "server_error"),
            (Some(Fault::AccessDenied), Service::Sts) => (403, "AccessDenied"),
            (Some(Fault::AccessDenied), Service::Oidc) => (403, "access_denied"),
            (Some(Fault::InternalError), Service::DynamoDb) => (500, "InternalServerError"),
            (Some(Fault::AccessDenied), Service::S3) => (403, "AccessDenied"),
            (Some(Fault::AccessDenied), Service::DynamoDb) => (400, "AccessDeniedException"),
            (Some(Fault::Error { status, code }), _) => (*status, code.as_str()),
            (Some(Fault::Reset), _) => return Err(Dropped),
            (Some(Fault::Hang), _) => std::future::pending().await,
            (Some(Fault::Delay(pause)), _) => {
                tokio::time::sleep(*pause).await;
                return Ok(forward(fault));
            }
            (None | Some(Fault::LoseAnswer | Fault::CutAnswer(_)), _) => return Ok(forward(fault)),
        };
        let mut response = answer::error(service, method, status, code, "injected by the emulator");
        stamp(&mut response, place);
        self.log.close(place, status, length(&response));
        Ok(Admission::Refuse(response))
    }
}

impl Admitted {
    /// Notes what DynamoDB charges for the request.
    pub(crate) fn consumed(&self, units: Option<f64>) {
        self.front.log.consumed(self.place, units);
    }

    /// Completes the record, and plays the part of the fault that concerns the answer.
    ///
    /// # Errors
    /// [`Dropped`] when the answer is to be lost.
    pub(crate) fn finish(self, mut response: Response<ResponseBody>) -> Result<Response<ResponseBody>, Dropped> {
        if self.fault == Some(Fault::LoseAnswer) {
            return Err(Dropped);
        }
        stamp(&mut response, self.place);
        self.front.log.close(self.place, response.status().as_u16(), length(&response));
        Ok(match self.fault {
            Some(Fault::CutAnswer(after)) => response.map(|body| Cut::new(body, after).boxed_unsync()),
            _ => response,
        })
    }
}

/// Every answer of S3 and DynamoDB carries a request id, which the SDKs put into their errors.
fn stamp(response: &mut Response<ResponseBody>, place: Place) {
    let id = HeaderValue::from(place.number());
    for name in ["x-amz-request-id", "x-amzn-requestid"] {
        response.headers_mut().entry(name).or_insert_with(|| id.clone());
    }
}

fn length(response: &Response<ResponseBody>) -> Option<u64> {
    use http_body::Body as _;
    let announced = response.headers().get(header::CONTENT_LENGTH);
    announced.and_then(|value| value.to_str().ok()?.parse().ok()).or_else(|| response.body().size_hint().exact())
}
