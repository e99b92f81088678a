//! Pagination: everything that a list route does apart from reading its rows (contract §1, *Lists*).
//!
//! A list route takes a [`ListQuery`]: the page parameters of its family of routes (a [`Dialect`]) and its own filters.
//! It asks it for a [`Pager`], reads rows with their positions, and passes them to [`Pager::page`], which seals the
//! cursor, sets the fields of the family and keeps the response within [`ANSWER_LIMIT_BYTES`].
//!
//! A cursor holds the position of the last row of a page. It is signed for the caller, the route and the filters, so it
//! cannot be used elsewhere.

mod bounds;
mod budget;
mod dialects;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

pub use bounds::{Bounded, Ids, PageNumber, PageSize, Skip};
pub use budget::{ANSWER_LIMIT_BYTES, fit, weight};
pub use dialects::{
    Dialect, LimitSkip, LimitSkipFields, Limited, LimitedFields, PageLimit, PageLimitFields, PagePerPage,
    PagePerPageFields, PageSized, PageSizedFields, Position,
};

use super::input;
use crate::App;
use crate::auth::cursor;
use crate::config::Secret;
use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// How many items a page number may skip (contract §1).
pub const DEEPEST: u64 = 10_000;

/// The query of a list route: page parameters and filters.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(inline)]
pub struct ListQuery<D, F = input::Nothing> {
    /// The page parameters.
    #[schemars(flatten)]
    pub page: D,
    /// The filters.
    #[schemars(flatten)]
    pub filter: F,
}

/// Instead of serde's `flatten`, which does not parse numbers from query strings and loses the name of a wrong field.
impl<'de, D: DeserializeOwned, F: DeserializeOwned> Deserialize<'de> for ListQuery<D, F> {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        let (page, filter) = input::both(deserializer)?;
        Ok(Self { page, filter })
    }
}

impl<D: Dialect, F> ListQuery<D, F> {
    /// The pager of a list. `narrowed_by` is everything that selects the list: the path's parameters and the filters.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] if the cursor was altered, or issued to another user or for another list.
    pub fn pager<P: Serialize + DeserializeOwned>(
        &self,
        app: &App,
        user: UserId,
        route: &str,
        narrowed_by: &impl Serialize,
    ) -> Result<Pager<'_, D, P>> {
        let narrowed_by = serde_json::to_string(narrowed_by).map_err(Error::internal)?;
        let list = format!("{route}/{narrowed_by}");
        let secret = app.config().cursor_secret()?;
        let open = |sealed| cursor::open(secret, user, &list, sealed);
        let after: Option<P> = self.page.cursor().map(open).transpose()?;
        Ok(Pager {
            secret: secret.clone(),
            user,
            list,
            dialect: &self.page,
            after,
        })
    }
}

/// One page of a list, for one caller. `P` is the position of a row: a page begins after the position in its cursor.
pub struct Pager<'a, D, P> {
    secret: Secret,
    user: UserId,
    list: String,
    dialect: &'a D,
    after: Option<P>,
}

/// The rows of a page and its other fields.
pub struct Page<T, F> {
    /// The rows.
    pub rows: Vec<T>,
    /// The page fields of the family.
    pub fields: F,
}

/// The rows that were read for a page.
pub struct Found<T, P> {
    /// At most as many as the page holds, each with its position.
    pub rows: Vec<(P, T)>,
    /// The length of the whole list.
    pub total: u64,
    /// The position after which there are more rows, usually that of the last row; none at the end of the list.
    pub next: Option<P>,
}

/// The items of a page, taken from a list in memory.
pub struct Picked<T, P> {
    /// The items.
    pub items: Vec<T>,
    /// The position after which there are more; none at the end of the list.
    pub next: Option<P>,
}

impl<D: Dialect, P: Serialize> Pager<'_, D, P> {
    /// The position in the cursor, after which the page begins; none without a cursor.
    pub fn after(&self) -> Option<&P> {
        self.after.as_ref()
    }

    /// How many rows to skip before the page: 0 with a cursor.
    ///
    /// # Errors
    /// [`Error::PageTooDeep`]
    pub fn skipped(&self) -> Result<u64> {
        if self.after.is_some() {
            return Ok(0);
        }
        let skipped = self.dialect.skipped();
        if skipped > DEEPEST {
            return Err(Error::PageTooDeep);
        }
        Ok(skipped)
    }

    /// How many rows a page holds, 1 to 100.
    pub fn size(&self) -> u64 {
        self.dialect.size()
    }

    /// Takes the items of the page from a list in memory, which is sorted by descending position.
    ///
    /// # Errors
    /// [`Error::PageTooDeep`]
    pub fn pick<T>(&self, list: impl IntoIterator<Item = T>, place: impl Fn(&T) -> P) -> Result<Picked<T, P>>
    where
        P: Ord,
    {
        let skipped = usize::try_from(self.skipped()?).map_err(Error::internal)?;
        let size = usize::try_from(self.size()).map_err(Error::internal)?;
        let is_behind = |item: &T| self.after.as_ref().is_none_or(|after| place(item) < *after);
        let mut rest = list.into_iter().filter(is_behind).skip(skipped);
        let items: Vec<T> = rest.by_ref().take(size).collect();
        let has_next = rest.next().is_some();
        let next = items.last().filter(|_| has_next).map(&place);
        Ok(Picked { items, next })
    }

    /// Builds the page. If the rows exceed the size limit of a response, the last ones are left for the next page.
    pub fn page<T: Serialize>(&self, found: Found<T, P>) -> Result<Page<T, D::Fields>> {
        self.page_of(found, |_| {})
    }

    /// Builds the page. If the rows exceed the size limit of a response, `lighten` is applied to the last ones first;
    /// rows that still do not fit are left for the next page.
    pub fn page_of<T: Serialize>(
        &self,
        found: Found<T, P>,
        lighten: impl Fn(&mut T),
    ) -> Result<Page<T, D::Fields>> {
        let Found {
            rows,
            total,
            mut next,
        } = found;
        let (mut places, mut rows): (Vec<P>, Vec<T>) = rows.into_iter().unzip();
        if fit(&mut rows, &(), lighten)? {
            places.truncate(rows.len());
            next = places.pop();
        }
        let seal = |place: P| cursor::seal(&self.secret, self.user, &self.list, &place);
        let position = Position {
            total,
            next_cursor: next.map(seal).transpose()?,
        };
        Ok(Page {
            rows,
            fields: self.dialect.fields(position),
        })
    }
}
