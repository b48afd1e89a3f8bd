//! Properties, their calendar and quotes.

#![expect(
    clippy::unused_async,
    reason = "resolvers are asynchronous, also those that wait for nothing"
)]

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};

use super::{
    feed::CalendarFeed,
    money::{LineItem, Money},
    person::User,
    review::Review,
};
use crate::{
    domain::{
        cancellation, freshness::Tag, ids::PropertyId, listing, money, page::Page,
        problem::Problem, stay::DateRange,
    },
    entity::{
        part::Row,
        property::{self, Column},
    },
    graphql::{
        age::cache_control,
        arguments::page_request,
        connection::Connection,
        context::ContextExt as _,
        errors::{UserError, fail},
        global_id::GlobalId,
        scalars::{Date, DateTime},
        selected::{Needs, read, whole},
    },
    service::{calendar, error::Error, reviews},
};

/// Whether guests find a property.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "listing::PropertyStatus")]
pub(in crate::graphql) enum PropertyStatus {
    /// Not finished; only its host and admins see it.
    Draft,
    /// In search, and open for booking.
    Listed,
    /// Taken out of search; standing bookings keep it.
    Unlisted,
}

/// What a host gives back to a guest who cancels.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "cancellation::CancellationPolicy")]
pub(in crate::graphql) enum CancellationPolicy {
    /// All until 24 hours before check-in (15:00 local); after that all but the first night.
    Flexible,
    /// All until 5 days before check-in; after that half of the nights, and the cleaning fee.
    Moderate,
    /// All within 48 hours of booking if check-in is 14 days or more away; else half of the nights until 7 days before,
    /// after that none. The cleaning fee comes back.
    Strict,
}

/// A home to stay in.
#[derive(Clone)]
pub(in crate::graphql) struct Property(pub(in crate::graphql) Row<property::Entity>);

impl<R: Into<Row<property::Entity>>> From<R> for Property {
    fn from(row: R) -> Self {
        Self(row.into())
    }
}

/// What each field of a property needs; the key is there always.
pub(in crate::graphql) const NEEDS: &Needs<Column> = &[
    ("host", &[Column::HostId]),
    ("title", &[Column::Title]),
    ("description", &[Column::Description]),
    ("location", &[Column::Location]),
    ("latitude", &[Column::Latitude]),
    ("longitude", &[Column::Longitude]),
    ("pricePerNight", &[Column::PricePerNight]),
    ("cleaningFee", &[Column::CleaningFee]),
    ("maxGuests", &[Column::MaxGuests]),
    ("minNights", &[Column::MinNights]),
    ("maxNights", &[Column::MaxNights]),
    ("advanceNoticeDays", &[Column::AdvanceNoticeDays]),
    ("preparationDays", &[Column::PreparationDays]),
    ("status", &[Column::Status]),
    ("instantBook", &[Column::InstantBook]),
    ("cancellationPolicy", &[Column::CancellationPolicy]),
    ("timeZone", &[Column::TimeZone]),
    (
        "averageRating",
        &[Column::ReviewCount, Column::RatingHundredths],
    ),
    ("reviewCount", &[Column::ReviewCount]),
    ("reviews", &[Column::ReviewCount]),
    ("createdAt", &[Column::CreatedAt]),
    ("updatedAt", &[Column::UpdatedAt]),
];

/// Fields that go by rules, which look at the whole property.
pub(in crate::graphql) const WHOLE: [&str; 3] = ["calendar", "quote", "availabilityChanged"];

impl Property {
    fn key(&self) -> Result<PropertyId> {
        Ok(*read(&self.0.property_id)?)
    }
}

/// These properties are shown.
pub(in crate::graphql) fn shows(ctx: &Context<'_>, page: &Page<Row<property::Entity>>) {
    let keys = page
        .rows
        .iter()
        .filter_map(|(_, row)| row.property_id.try_as_ref());
    ctx.shown().add(keys.copied().map(Tag::Property));
}

/// A home to stay in.
#[Object]
impl Property {
    /// The global id.
    pub(in crate::graphql) async fn id(&self) -> Result<ID> {
        Ok(GlobalId::Property(self.key()?).into())
    }

    /// The key that REST uses.
    async fn database_id(&self) -> Result<i32> {
        Ok(self.key()?.0)
    }

    /// Whose it is.
    async fn host(&self, ctx: &Context<'_>) -> Result<User> {
        let host = *read(&self.0.host_id)?;
        Ok(ctx.loaders().users.require(host).await?.into())
    }

    /// One line.
    async fn title(&self) -> Result<&str> {
        Ok(read(&self.0.title)?)
    }

    /// Paragraphs.
    async fn description(&self) -> Result<&str> {
        Ok(read(&self.0.description)?)
    }

    /// Where it is, in words.
    async fn location(&self) -> Result<&str> {
        Ok(read(&self.0.location)?)
    }

    /// Degrees north.
    async fn latitude(&self) -> Result<Option<f64>> {
        Ok(*read(&self.0.latitude)?)
    }

    /// Degrees east.
    async fn longitude(&self) -> Result<Option<f64>> {
        Ok(*read(&self.0.longitude)?)
    }

    /// For a night without a price of its own.
    async fn price_per_night(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(Money::new(ctx, *read(&self.0.price_per_night)?))
    }

    /// Once a stay.
    async fn cleaning_fee(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(Money::new(ctx, *read(&self.0.cleaning_fee)?))
    }

    /// How many it sleeps.
    async fn max_guests(&self) -> Result<i32> {
        Ok(*read(&self.0.max_guests)?)
    }

    /// The fewest nights of a stay.
    async fn min_nights(&self) -> Result<i32> {
        Ok(*read(&self.0.min_nights)?)
    }

    /// The most nights of a stay.
    async fn max_nights(&self) -> Result<i32> {
        Ok(*read(&self.0.max_nights)?)
    }

    /// How many days before check-in a stay must be booked; 0 allows today.
    async fn advance_notice_days(&self) -> Result<i32> {
        Ok(*read(&self.0.advance_notice_days)?)
    }

    /// How many nights stay free between two bookings.
    async fn preparation_days(&self) -> Result<i32> {
        Ok(*read(&self.0.preparation_days)?)
    }

    /// What it offers: lower-case words such as `wifi`, sorted.
    async fn amenities(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let amenities = ctx.loaders().amenities.get(self.key()?).await?;
        Ok(amenities.map(|words| (*words).clone()).unwrap_or_default())
    }

    /// Whether guests find it.
    async fn status(&self) -> Result<PropertyStatus> {
        Ok((*read(&self.0.status)?).into())
    }

    /// When true a paid booking is confirmed at once; when false the host accepts or declines it.
    async fn instant_book(&self) -> Result<bool> {
        Ok(*read(&self.0.instant_book)?)
    }

    /// What comes back when a guest cancels.
    async fn cancellation_policy(&self) -> Result<CancellationPolicy> {
        Ok((*read(&self.0.cancellation_policy)?).into())
    }

    /// IANA name; dates and deadlines of a stay are local to it.
    async fn time_zone(&self) -> Result<&str> {
        Ok(read(&self.0.time_zone)?.0.name())
    }

    /// From 1 to 5, to the hundredth; null without a review.
    async fn average_rating(&self) -> Result<Option<f64>> {
        let (count, hundredths) = (
            read(&self.0.review_count)?,
            read(&self.0.rating_hundredths)?,
        );
        Ok((*count > 0).then(|| f64::from(*hundredths) / 100.0))
    }

    /// How many reviews.
    async fn review_count(&self) -> Result<i32> {
        Ok(*read(&self.0.review_count)?)
    }

    /// What guests said, newest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start; 20 when left out, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Review>> {
        let request = page_request(reviews::NEWEST, first, after, last, before)?;
        let loaders = ctx.loaders();
        let page = loaders.property_reviews.require((self.key()?, request));
        let page = Box::pin(page).await?;
        let count = i64::from(*read(&self.0.review_count)?);
        Ok(Connection::new((*page).clone(), move || {
            Box::pin(async move { Ok(count) })
        }))
    }

    /// Each night of [from, to): at most 366.
    #[graphql(directive = cache_control::apply(0))]
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first date.")] from: Date,
        #[graphql(desc = "The date after the last.")] to: Date,
    ) -> Result<Vec<CalendarNight>> {
        let range = DateRange::parse(from.0, to.0).map_err(|problem| fail(Error::from(problem)))?;
        let loaders = ctx.loaders();
        let calendar = loaders.calendars.require((self.key()?, range));
        let calendar = Box::pin(calendar).await?;
        let nights = ctx
            .services()
            .calendar
            .nights(&whole(&self.0)?, range, &calendar);
        let currency = ctx.services().currency();
        Ok(nights
            .iter()
            .map(|night| CalendarNight::in_currency(currency, night))
            .collect())
    }

    /// What a stay would cost, and whether it can be booked now.
    #[graphql(directive = cache_control::apply(0))]
    async fn quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first night.")] check_in: Date,
        #[graphql(desc = "The day after the last night.")] check_out: Date,
        #[graphql(desc = "How many stay.", default = 1)] guests: i32,
    ) -> Result<Quote> {
        ctx.shown().add_what_changes();
        let (service, property) = (&ctx.services().calendar, whole(&self.0)?);
        let stay = match service.stay(&property, check_in.0, check_out.0) {
            Ok(stay) => stay,
            Err(problem) => return Ok(Quote::of_no_stay(ctx, problem)),
        };
        let loaders = ctx.loaders();
        let calendar = loaders.calendars.require((self.key()?, stay.into()));
        let calendar = Box::pin(calendar).await?;
        Ok(Quote::new(
            ctx,
            service.quote(&property, stay, guests, &calendar),
        ))
    }

    /// The secret address of its calendar, for other platforms to fetch; null before `publishCalendar`, and for all but its host.
    #[graphql(directive = cache_control::apply(0))]
    async fn calendar_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let urls = &ctx.loaders().calendar_urls;
        let url = urls.get(self.key()?).await?;
        Ok(url.map(|url| (*url).clone()))
    }

    /// The calendars of other platforms that are imported, oldest first; null for all but its host and admins.
    #[graphql(directive = cache_control::apply(0))]
    async fn calendar_feeds(&self, ctx: &Context<'_>) -> Result<Option<Vec<CalendarFeed>>> {
        let feeds = &ctx.loaders().calendar_feeds;
        let feeds = feeds.get(self.key()?).await?;
        Ok(feeds.map(|feeds| feeds.iter().cloned().map(Into::into).collect()))
    }

    /// When it was made.
    async fn created_at(&self) -> Result<DateTime> {
        Ok(DateTime(*read(&self.0.created_at)?))
    }

    /// When its host last changed it.
    async fn updated_at(&self) -> Result<DateTime> {
        Ok(DateTime(*read(&self.0.updated_at)?))
    }
}

/// One night of a property.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CalendarNight {
    /// The local date on which it begins.
    date: Date,
    /// Whether it can be booked.
    available: bool,
    /// What it costs.
    price: Money,
}

impl CalendarNight {
    pub(in crate::graphql) fn in_currency(currency: &str, night: &calendar::CalendarNight) -> Self {
        Self {
            date: Date(night.date),
            available: night.available,
            price: Money::in_currency(currency, night.price),
        }
    }
}

/// What a stay would cost, and whether it can be booked.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Quote {
    /// Whether it can be booked now.
    available: bool,
    /// Why it can't be booked; empty when available.
    problems: Vec<UserError>,
    /// How many nights; 0 when the dates make no stay.
    nights: i32,
    /// What makes up the total.
    line_items: Vec<LineItem>,
    /// What the guest would pay.
    total: Money,
}

impl Quote {
    fn new(ctx: &Context<'_>, quote: calendar::Quote) -> Self {
        let calendar::Quote { problems, price } = quote;
        Self {
            available: problems.is_empty(),
            problems: problems.into_iter().map(UserError::from).collect(),
            nights: i32::try_from(price.nights.len()).unwrap_or(i32::MAX),
            line_items: LineItem::list(ctx, &price),
            total: Money::new(ctx, price.total()),
        }
    }

    fn of_no_stay(ctx: &Context<'_>, problem: Problem) -> Self {
        Self {
            available: false,
            problems: vec![problem.into()],
            nights: 0,
            line_items: vec![],
            total: Money::new(ctx, money::Money::ZERO),
        }
    }
}
