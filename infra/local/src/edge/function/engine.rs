//! QuickJS, with what a function finds there and no more.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::context::intrinsic::{
    Date, Eval, Json, MapSet, Promise as Promises, RegExp, RegExpCompiler, TypedArrays,
};
use rquickjs::{CatchResultExt as _, CaughtError, Context, Ctx, Function, Module, Object, Runtime, Value};

use super::native::{self, State};
use super::verdict::Failure;
use super::{EdgeFunction, Event};

/// Memory beyond what the empty engine takes ("Quotas on CloudFront Functions": 2 MB).
const MEMORY: usize = 2 << 20;

/// How often the engine asks whether to go on, each time after 10,000 loops and calls: a million. CloudFront's own limit is a
/// time that is not documented, under a millisecond by what others saw; steps are the same on every machine.
const PAUSES: u32 = 100;

/// What a function's promise and log came to.
pub(super) struct Returned {
    /// JSON of the form that `result.js` gives it.
    pub(super) result: Result<String, Failure>,
    pub(super) log: Vec<String>,
    pub(super) origin: Option<String>,
    pub(super) utilization: u32,
}

/// Compiles and evaluates the module.
///
/// # Errors
/// Why it cannot be.
pub(super) fn check(function: &EdgeFunction) -> Result<(), String> {
    let engine = Engine::start(function).map_err(|failure| failure.reason)?;
    engine.context.with(|ctx| load(&ctx, function).map(drop)).map_err(|failure| engine.explain(failure).reason)
}

pub(super) fn run(function: &EdgeFunction, event: &Event) -> Returned {
    let engine = match Engine::start(function) {
        Ok(engine) => engine,
        Err(failure) => return Returned { result: Err(failure), log: Vec::new(), origin: None, utilization: 0 },
    };
    engine.state.viewer_request.set(event.response.is_none());
    let result = engine.context.with(|ctx| call(&ctx, function, event)).map_err(|failure| engine.explain(failure));
    Returned {
        result,
        log: engine.state.log.take(),
        origin: engine.state.origin.take(),
        utilization: engine.pauses.get().min(PAUSES) * 100 / PAUSES,
    }
}

/// An engine for one event. Dropped before its runtime is its context.
struct Engine {
    context: Context,
    state: Rc<State>,
    pauses: Rc<Cell<u32>>,
    _runtime: Runtime,
}

impl Engine {
    fn start(function: &EdgeFunction) -> Result<Self, Failure> {
        let failed = |error: rquickjs::Error| Failure::execution(format!("the engine does not start: {error}"));
        let runtime = Runtime::new().map_err(failed)?;
        type Intrinsics = (Date, Eval, RegExpCompiler, RegExp, Json, MapSet, TypedArrays, Promises);
        let context = Context::custom::<Intrinsics>(&runtime).map_err(failed)?;
        let state = Rc::new(State::of(function));
        context.with(|ctx| builtins(&ctx, &state))?;
        // A count of bytes is never negative.
        let taken = usize::try_from(runtime.memory_usage().malloc_size).unwrap_or_default();
        runtime.set_memory_limit(taken + MEMORY);
        let pauses = Rc::new(Cell::new(0));
        let counted = Rc::clone(&pauses);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            counted.set(counted.get() + 1);
            counted.get() > PAUSES
        })));
        Ok(Self { context, state, pauses, _runtime: runtime })
    }

    /// Says of an interrupted function why it was.
    fn explain(&self, failure: Failure) -> Failure {
        if self.pauses.get() > PAUSES {
            return Failure::execution("the function took longer than it may".to_owned());
        }
        failure
    }
}

/// Evaluates the built-in modules, and takes away what they shared.
fn builtins(ctx: &Ctx<'_>, state: &Rc<State>) -> Result<(), Failure> {
    let start = || {
        ctx.globals().set("$native", native::object(ctx, state)?)?;
        for (name, source) in [
            ("$globals", include_str!("globals.js")),
            ("buffer", include_str!("buffer.js")),
            ("crypto", include_str!("crypto.js")),
            ("querystring", include_str!("querystring.js")),
            ("cloudfront", include_str!("cloudfront.js")),
        ] {
            Module::evaluate(ctx.clone(), name, source)?.finish::<()>()?;
        }
        ctx.globals().remove("$shared")
    };
    start().catch(ctx).map_err(|error| thrown(&error))
}

/// The module's `handler`. It is not exported as CloudFront takes it: an export is added.
fn load<'js>(ctx: &Ctx<'js>, function: &EdgeFunction) -> Result<Function<'js>, Failure> {
    let source = format!("{}\n;export {{ handler as $handler }};", function.code);
    let evaluate = || {
        let (module, done) = Module::declare(ctx.clone(), "function", source)?.eval()?;
        done.finish::<()>()?;
        module.get::<_, Function<'js>>("$handler")
    };
    evaluate().catch(ctx).map_err(|error| thrown(&error))
}

fn call(ctx: &Ctx<'_>, function: &EdgeFunction, event: &Event) -> Result<String, Failure> {
    let handler = load(ctx, function)?;
    let invoke = || {
        let event = ctx.json_parse(event.to_string())?;
        let returned: Value<'_> = handler.call((event,))?;
        let returned = match returned.clone().into_promise() {
            Some(promise) => promise.finish::<Value<'_>>()?,
            None => returned,
        };
        let (module, done) = Module::declare(ctx.clone(), "$result", include_str!("result.js"))?.eval()?;
        done.finish::<()>()?;
        module.get::<_, Function<'_>>("default")?.call((returned,))
    };
    invoke().catch(ctx).map_err(|error| match error {
        CaughtError::Error(rquickjs::Error::WouldBlock) => {
            Failure::execution("the function's promise is never settled".to_owned())
        }
        error => thrown(&error),
    })
}

fn thrown(error: &CaughtError<'_>) -> Failure {
    let reason = match error {
        CaughtError::Exception(exception) => {
            let object: &Object<'_> = exception.as_object();
            let name = object.get::<_, String>("name").unwrap_or_else(|_| "Error".to_owned());
            let stack = exception.stack().unwrap_or_default();
            let place = stack.lines().next().map(str::trim).filter(|line| !line.is_empty());
            let message = exception.message().unwrap_or_default();
            place.map_or_else(|| format!("{name}: {message}"), |place| format!("{name}: {message} ({place})"))
        }
        CaughtError::Value(value) => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            format!("thrown: {}", text.unwrap_or_else(|| format!("{value:?}")))
        }
        CaughtError::Error(error) => error.to_string(),
    };
    Failure::execution(reason)
}
