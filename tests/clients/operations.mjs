// Every operation that the main way takes, as an application would keep them.

const MONEY = "{ amount currency }";
const PRICE = `lineItems { kind description amount ${MONEY} }`;
const USER_ERRORS = "userErrors { field code message }";
const SESSION = `accessToken accessTokenExpiresAt refreshToken viewer { email user { id fullName role } }`;
const PAYMENT = `id status method amount ${MONEY} refundedAmount ${MONEY} clientSecret`;
const BOOKING = `id status cancellationReason checkIn checkOut guests expiresAt totalPrice ${MONEY} ${PRICE}
  refundPreview ${MONEY} payment { ${PAYMENT} } events { cursor from to at }`;
const EVENT = "cursor from to at booking { id status }";

// ---------------------------------------------------------------- reading

export const SEARCH = `
  query Search($filter: PropertyFilter, $first: Int, $after: String, $last: Int, $before: String) {
    properties(filter: $filter, sort: PRICE_ASC, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { id } }
      nodes { id location maxGuests amenities pricePerNight ${MONEY} }
    }
  }`;

export const DETAIL = `
  query Detail($id: ID!) {
    property(id: $id) {
      id title description location latitude longitude timeZone maxGuests amenities
      status instantBook cancellationPolicy averageRating reviewCount pricePerNight ${MONEY} cleaningFee ${MONEY}
      host { id fullName role }
      reviews(first: 3) { totalCount nodes { rating comment createdAt author { id fullName } } }
    }
  }`;

export const PRICES = `
  query Prices($id: ID!, $from: Date!, $to: Date!, $checkIn: Date!, $checkOut: Date!) {
    property(id: $id) {
      calendar(from: $from, to: $to) { date available price ${MONEY} }
      quote(checkIn: $checkIn, checkOut: $checkOut, guests: 2) {
        available problems { code message } nights ${PRICE} total ${MONEY}
      }
    }
  }`;

export const VIEWER = "query Viewer { viewer { email user { id role } } }";

export const HOMES = `
  query Homes {
    viewer { user { properties(first: 100) { nodes { id status instantBook } } } }
  }`;

export const GET_BOOKING = `query GetBooking($id: ID!) { booking(id: $id) { ${BOOKING} } }`;

// ---------------------------------------------------------------- changing

export const SIGN_UP = `
  mutation SignUp($input: SignUpInput!) { signUp(input: $input) { ${SESSION} ${USER_ERRORS} } }`;

export const SIGN_IN = `
  mutation SignIn($input: SignInInput!) { signIn(input: $input) { ${SESSION} ${USER_ERRORS} } }`;

export const SIGN_OUT = `mutation SignOut { signOut { ${USER_ERRORS} } }`;

export const CREATE_PROPERTY = `
  mutation CreateProperty($input: CreatePropertyInput!) {
    createProperty(input: $input) { property { id } ${USER_ERRORS} }
  }`;

export const CREATE_BOOKING = `
  mutation CreateBooking($input: CreateBookingInput!) {
    createBooking(input: $input) { booking { ${BOOKING} } ${USER_ERRORS} }
  }`;

export const ACCEPT_BOOKING = `
  mutation AcceptBooking($id: ID!) { acceptBooking(id: $id) { booking { ${BOOKING} } ${USER_ERRORS} } }`;

export const DECLINE_BOOKING = `
  mutation DeclineBooking($id: ID!) { declineBooking(id: $id) { booking { ${BOOKING} } ${USER_ERRORS} } }`;

export const CANCEL_BOOKING = `
  mutation CancelBooking($id: ID!) { cancelBooking(id: $id) { booking { ${BOOKING} } ${USER_ERRORS} } }`;

export const CREATE_PAYMENT = `
  mutation CreatePayment($input: CreatePaymentInput!) {
    createPayment(input: $input) { payment { ${PAYMENT} booking { id status } } ${USER_ERRORS} }
  }`;

// ---------------------------------------------------------------- watching

export const VIEWER_BOOKING_STATUS_CHANGED = `
  subscription ViewerBookingStatusChanged($after: String) {
    viewerBookingStatusChanged(after: $after) { ${EVENT} }
  }`;

export const BOOKING_STATUS_CHANGED = `
  subscription BookingStatusChanged($bookingId: ID!, $after: String) {
    bookingStatusChanged(bookingId: $bookingId, after: $after) { ${EVENT} }
  }`;

export const AVAILABILITY_CHANGED = `
  subscription AvailabilityChanged($propertyId: ID!) {
    availabilityChanged(propertyId: $propertyId) { date available price ${MONEY} }
  }`;
