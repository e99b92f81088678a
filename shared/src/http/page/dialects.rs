//! The pagination parameters and fields of each family of routes.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bounds::{PageNumber, PageSize, Skip};

/// The page parameters of a family. All have a `cursor`, which takes precedence over the others.
pub trait Dialect: DeserializeOwned + JsonSchema + Send + Sync {
    /// The page fields of a response.
    type Fields: Serialize + JsonSchema + Send;

    /// The cursor, if there is one.
    fn cursor(&self) -> Option<&str>;
    /// How many rows a page holds.
    fn size(&self) -> u64;
    /// How many rows to skip if there is no cursor.
    fn skipped(&self) -> u64;
    /// The page fields of a response.
    fn fields(&self, position: Position) -> Self::Fields;
}

/// The position of a page in its list.
pub struct Position {
    /// The length of the list.
    pub total: u64,
    /// The cursor of the next page; none at the end.
    pub next_cursor: Option<String>,
}

/// `page` and `per_page`: mail and notifications, `DEFAULT` rows on a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PagePerPage<const DEFAULT: u64> {
    /// The page number, starting at 1.
    #[serde(default)]
    page: PageNumber,
    /// The page size, 1 to 100.
    #[serde(default)]
    per_page: PageSize<DEFAULT>,
    /// The `next_cursor` of the previous page. `page` is ignored.
    cursor: Option<String>,
}

/// The fields of [`PagePerPage`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct PagePerPageFields {
    /// The total number of items.
    total: u64,
    /// The page number.
    page: u64,
    /// The page size.
    per_page: u64,
    /// The number of pages.
    pages: u64,
    /// Whether there is a next page.
    has_next: bool,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl<const DEFAULT: u64> Dialect for PagePerPage<DEFAULT> {
    type Fields = PagePerPageFields;

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn size(&self) -> u64 {
        self.per_page.get()
    }

    fn skipped(&self) -> u64 {
        before(self.page, self.per_page)
    }

    fn fields(&self, position: Position) -> PagePerPageFields {
        PagePerPageFields {
            total: position.total,
            page: self.page.get(),
            per_page: self.per_page.get(),
            pages: position.total.div_ceil(self.per_page.get()),
            has_next: position.next_cursor.is_some(),
            next_cursor: position.next_cursor,
        }
    }
}

/// `page` and `page_size`: conversations, `DEFAULT` rows on a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PageSized<const DEFAULT: u64> {
    /// The page number, starting at 1.
    #[serde(default)]
    page: PageNumber,
    /// The page size, 1 to 100.
    #[serde(default)]
    page_size: PageSize<DEFAULT>,
    /// The `next_cursor` of the previous page. `page` is ignored.
    cursor: Option<String>,
}

/// The fields of [`PageSized`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct PageSizedFields {
    /// The total number of items.
    total: u64,
    /// The page number.
    page: u64,
    /// The page size.
    page_size: u64,
    /// Whether there is a next page.
    has_next: bool,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl<const DEFAULT: u64> Dialect for PageSized<DEFAULT> {
    type Fields = PageSizedFields;

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn size(&self) -> u64 {
        self.page_size.get()
    }

    fn skipped(&self) -> u64 {
        before(self.page, self.page_size)
    }

    fn fields(&self, position: Position) -> PageSizedFields {
        PageSizedFields {
            total: position.total,
            page: self.page.get(),
            page_size: self.page_size.get(),
            has_next: position.next_cursor.is_some(),
            next_cursor: position.next_cursor,
        }
    }
}

/// `limit` and `skip`: person-to-person messages and credits, `DEFAULT` rows on a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct LimitSkip<const DEFAULT: u64> {
    /// The page size, 1 to 100.
    #[serde(default)]
    limit: PageSize<DEFAULT>,
    /// The number of items to skip.
    #[serde(default)]
    skip: Skip,
    /// The `next_cursor` of the previous page. `skip` is ignored.
    cursor: Option<String>,
}

/// The fields of [`LimitSkip`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct LimitSkipFields {
    /// The total number of items.
    total: u64,
    /// The page size.
    limit: u64,
    /// The number of items that were skipped.
    skip: u64,
    /// Whether there is a next page.
    has_next: bool,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl<const DEFAULT: u64> Dialect for LimitSkip<DEFAULT> {
    type Fields = LimitSkipFields;

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn size(&self) -> u64 {
        self.limit.get()
    }

    fn skipped(&self) -> u64 {
        self.skip.get()
    }

    fn fields(&self, position: Position) -> LimitSkipFields {
        LimitSkipFields {
            total: position.total,
            limit: self.limit.get(),
            skip: self.skip.get(),
            has_next: position.next_cursor.is_some(),
            next_cursor: position.next_cursor,
        }
    }
}

/// `page` and `limit`, or `skip` instead of `page`: administration, `DEFAULT` rows on a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PageLimit<const DEFAULT: u64> {
    /// The page number, starting at 1.
    #[serde(default)]
    page: PageNumber,
    /// The page size, 1 to 100.
    #[serde(default)]
    limit: PageSize<DEFAULT>,
    /// The number of items to skip. `page` is ignored.
    skip: Option<Skip>,
    /// The `next_cursor` of the previous page. `page` and `skip` are ignored.
    cursor: Option<String>,
}

/// The fields of [`PageLimit`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct PageLimitFields {
    /// The total number of items.
    total: u64,
    /// The page number.
    page: u64,
    /// The page size.
    limit: u64,
    /// Whether there is a next page.
    has_next: bool,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl<const DEFAULT: u64> Dialect for PageLimit<DEFAULT> {
    type Fields = PageLimitFields;

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn size(&self) -> u64 {
        self.limit.get()
    }

    fn skipped(&self) -> u64 {
        self.skip.map_or_else(|| before(self.page, self.limit), Skip::get)
    }

    fn fields(&self, position: Position) -> PageLimitFields {
        PageLimitFields {
            total: position.total,
            page: self.page.get(),
            limit: self.limit.get(),
            has_next: position.next_cursor.is_some(),
            next_cursor: position.next_cursor,
        }
    }
}

/// `limit` alone: lists whose length is unknown, `DEFAULT` rows on a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Limited<const DEFAULT: u64> {
    /// The maximum page size, 1 to 100.
    #[serde(default)]
    limit: PageSize<DEFAULT>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// The fields of [`Limited`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct LimitedFields {
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl<const DEFAULT: u64> Dialect for Limited<DEFAULT> {
    type Fields = LimitedFields;

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn size(&self) -> u64 {
        self.limit.get()
    }

    fn skipped(&self) -> u64 {
        0
    }

    fn fields(&self, position: Position) -> LimitedFields {
        LimitedFields {
            next_cursor: position.next_cursor,
        }
    }
}

fn before<const DEFAULT: u64>(page: PageNumber, size: PageSize<DEFAULT>) -> u64 {
    (page.get() - 1).saturating_mul(size.get())
}
