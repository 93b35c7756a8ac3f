//! What decides: the service graph, the policies, the rollout lanes, and the decision that they
//! add up to, with its explanation.
//!
//! Pure: no clock, no file, no environment, no network, no printing. Time, text and facts are
//! arguments, and the same arguments give the same bytes.
//!
//! - [`graph`] answers who can be affected when a service breaks, and what else follows from who relies
//!   on whom.
//! - [`mutate`] makes a policy slightly wrong, to see whether the test cases notice.
//! - [`policy`] turns Cedar text into a [`policy::Pack`], or into errors with file, line and column.
//! - [`table`] turns a decision table, such as SSVC's, into policies.
//! - [`rollout`] finds the lane of a finding, what that lane has earned, and what tonight has room for.
//! - [`cases`] runs a pack's test cases and tells what they cover.
//! - [`decide`] asks the pack: [`decide::triage`] before evidence, [`decide::release`] with it,
//!   [`decide::merge_gate`] at the moment of merge, and [`decide::may_promote`] once a human said go.
//! - [`counterfactual`] finds the smallest changes of facts after which the pack would permit more.
//!
//! # How a level comes about
//! `level = min(Cedar, lane stage, caps)`. Cedar is asked from the highest action down; default deny makes
//! alert the floor. What isn't known isn't in the context, and a safety rule is written so that it
//! forbids then: `forbid … unless { context has a.b && safe(context.a.b) }`.
//!
//! Cedar *skips* a policy that errors, so a broken `forbid` would vanish. Any error therefore lowers
//! the decision to alert and is named in it.
//!
//! # A pack
//! A folder of Cedar policies on facts. Each says in its annotations what people will read:
//!
//! ```
//! use holdpoint_engine::policy::{Pack, PolicySource};
//! use holdpoint_schemas::fact::{Action, FactTable};
//!
//! let source = PolicySource {
//!     path: "code-freeze.cedar".to_owned(),
//!     text: r#"
//! @id("code-freeze")
//! @reason("The service is under a code freeze")
//! @unlock("the freeze ends")
//! forbid (principal, action == Action::"autoApply", resource)
//! unless { context has change.freeze_active && !context.change.freeze_active };
//!     "#
//!     .to_owned(),
//! };
//! let pack = Pack::compile("mine", &[source.clone()], FactTable::shipped())?;
//! assert!(pack.facts_read(Action::AutoApply).contains("change.freeze_active"));
//!
//! let misspelt = PolicySource { text: source.text.replace("freeze_", "freezing_"), ..source };
//! let error = Pack::compile("mine", &[misspelt], FactTable::shipped()).unwrap_err();
//! assert!(error.to_string().contains("code-freeze.cedar:6:22: "), "{error}");
//! # Ok::<(), holdpoint_engine::policy::PolicyError>(())
//! ```
//!
//! `Pack::compile` refuses what would silently never apply: facts that don't exist, words that a fact
//! never is, facts under an action that never knows them, and every condition on an entity.
//!
//! # Explanation
//! Everything that kept the level from being higher is in the decision as a
//! [`Bound`](holdpoint_schemas::decision::Bound): which rule, why, which facts it read, which of them
//! are unknown, who could supply those, and what would lift it.

pub mod cases;
pub mod counterfactual;
pub mod decide;
mod error;
pub mod graph;
pub mod mutate;
pub mod policy;
pub mod rollout;
pub mod table;

pub use error::EngineError;
