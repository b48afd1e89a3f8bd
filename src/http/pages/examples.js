// The example operations, in the order in which they tell one stay. They run as they stand, one after
// the other, on the data of `staygate serve --demo`.

// The first demo property: instant book, so that paying confirms the booking at once.
const PROPERTY_ID = "UHJvcGVydHk6MQ";

const DAY = 24 * 60 * 60 * 1000;
const isoDate = (time) => new Date(time).toISOString().slice(0, 10);

/** Three nights that hardly anyone else has picked: check-in 30 to 300 days ahead. */
export function pickStay() {
  const checkIn = Date.now() + (30 + Math.floor(Math.random() * 271)) * DAY;
  return {
    from: isoDate(checkIn - 2 * DAY),
    checkIn: isoDate(checkIn),
    checkOut: isoDate(checkIn + 3 * DAY),
    to: isoDate(checkIn + 5 * DAY),
  };
}

const unchanged = (variables) => variables;

/**
 * `variables` makes an example's variables when its tab is opened. `refresh` brings the variables of a
 * tab that stands open up to date with what the page has seen since, and keeps what the user wrote there.
 * Both read `seen`: the stay picked, the newest booking's id, the newest event's cursor.
 */
export const examples = [
  {
    name: "Search",
    label: "Search",
    hint: "Properties that are free for the whole stay",
    query: `# Properties that are free on every night of the stay.
query Search($filter: PropertyFilter) {
  properties(filter: $filter, sort: RATING_DESC, first: 5) {
    totalCount
    nodes {
      title
      location
      pricePerNight {
        amount
        currency
      }
      averageRating
      reviewCount
      instantBook
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
    variables: ({ stay }) => ({
      filter: { guests: 2, checkIn: stay.checkIn, checkOut: stay.checkOut },
    }),
    refresh: (variables, { stay }) => ({
      ...variables,
      filter: { ...variables.filter, checkIn: stay.checkIn, checkOut: stay.checkOut },
    }),
  },
  {
    name: "Detail",
    label: "Detail",
    hint: "One property with its host and reviews",
    query: `query Detail($id: ID!) {
  property(id: $id) {
    title
    description
    location
    timeZone
    maxGuests
    amenities
    instantBook
    cancellationPolicy
    pricePerNight {
      amount
      currency
    }
    host {
      fullName
    }
    averageRating
    reviews(first: 3) {
      totalCount
      nodes {
        rating
        comment
        hostResponse
        author {
          fullName
        }
      }
    }
  }
}`,
    variables: () => ({ id: PROPERTY_ID }),
    refresh: unchanged,
  },
  {
    name: "CalendarAndQuote",
    label: "Calendar & quote",
    hint: "Which nights are free, and what the stay costs",
    query: `query CalendarAndQuote(
  $id: ID!
  $from: Date!
  $to: Date!
  $checkIn: Date!
  $checkOut: Date!
  $guests: Int!
) {
  property(id: $id) {
    title
    calendar(from: $from, to: $to) {
      date
      available
      price {
        amount
      }
    }
    quote(checkIn: $checkIn, checkOut: $checkOut, guests: $guests) {
      available
      problems {
        code
        message
      }
      nights
      lineItems {
        kind
        description
        amount {
          amount
        }
      }
      total {
        amount
        currency
      }
    }
  }
}`,
    variables: ({ stay }) => ({ id: PROPERTY_ID, ...stay, guests: 2 }),
    refresh: (variables, { stay }) => ({ ...variables, ...stay }),
  },
  {
    name: "SignIn",
    label: "Sign in",
    hint: "The page keeps the access token and sends it from then on",
    query: `# The page keeps the access token of this answer and sends it from then on.
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    accessToken
    accessTokenExpiresAt
    viewer {
      email
      user {
        fullName
        role
      }
    }
    userErrors {
      field
      code
      message
    }
  }
}`,
    variables: () => ({ input: { email: "guest@example.com", password: "demo-password" } }),
    refresh: unchanged,
  },
  {
    name: "Book",
    label: "Book",
    hint: "Holds the nights until the booking is paid",
    query: `# Holds the nights until the booking is paid, or expiresAt has come.
mutation Book($input: CreateBookingInput!) {
  createBooking(input: $input) {
    booking {
      id
      status
      expiresAt
      checkIn
      checkOut
      property {
        title
      }
      lineItems {
        description
        amount {
          amount
        }
      }
      totalPrice {
        amount
        currency
      }
      events {
        cursor
        to
        at
      }
    }
    userErrors {
      field
      code
      message
    }
  }
}`,
    variables: ({ stay }) => ({
      input: { propertyId: PROPERTY_ID, checkIn: stay.checkIn, checkOut: stay.checkOut, guests: 2 },
    }),
    refresh: (variables, { stay }) => ({
      ...variables,
      input: { ...variables.input, checkIn: stay.checkIn, checkOut: stay.checkOut },
    }),
  },
  {
    name: "Pay",
    label: "Pay",
    hint: "Pays for the newest booking; instant book confirms it",
    query: `# The page fills in the id of the booking made last. Other test tokens:
# tok_chargeDeclined, tok_threeDSecure.
mutation Pay($input: CreatePaymentInput!) {
  createPayment(input: $input) {
    payment {
      id
      status
      method
      amount {
        amount
        currency
      }
      booking {
        id
        status
      }
    }
    userErrors {
      field
      code
      message
    }
  }
}`,
    variables: ({ bookingId }) => ({
      input: { bookingId: bookingId ?? "run Book first", method: "CARD", paymentToken: "tok_visa" },
    }),
    refresh: (variables, { bookingId }) => ({
      ...variables,
      input: { ...variables.input, ...(bookingId && { bookingId }) },
    }),
  },
  {
    name: "Watch",
    label: "Watch",
    hint: "Changes of the viewer's bookings, live",
    query: `# What happened to your bookings since the cursor \`after\`, then what happens from now on.
# Leaving the tab stops it. Run it again: it goes on after the last event that the page saw.
subscription Watch($after: String) {
  viewerBookingStatusChanged(after: $after) {
    cursor
    from
    to
    at
    booking {
      id
      status
    }
  }
}`,
    variables: ({ cursor }) => ({ after: cursor ?? null }),
    refresh: (variables, { cursor }) => ({ ...variables, ...(cursor && { after: cursor }) }),
  },
  {
    name: "MyBookings",
    label: "My bookings",
    hint: "All bookings of the signed-in user",
    query: `query MyBookings {
  viewer {
    email
    bookings(first: 10) {
      totalCount
      nodes {
        id
        status
        cancellationReason
        checkIn
        checkOut
        property {
          title
          location
        }
        totalPrice {
          amount
          currency
        }
        payment {
          status
        }
      }
    }
  }
}`,
    variables: () => ({}),
    refresh: unchanged,
  },
  {
    name: "Devices",
    label: "Devices",
    hint: "Where the signed-in user is signed in",
    query: `# Where you are signed in. revokeSession(id: …) signs one of them out.
query Devices {
  viewer {
    email
    emailVerified
    sessions {
      id
      current
      userAgent
      ipAddress
      lastUsedAt
      expiresAt
    }
  }
}`,
    variables: () => ({}),
    refresh: unchanged,
  },
  {
    name: "AuditLog",
    label: "Audit log",
    hint: "Who did what, for admins",
    query: `# Who did what. Sign in as admin@example.com; that you read it is itself a line.
query AuditLog {
  auditLog(first: 20) {
    nodes {
      number
      at
      actor {
        fullName
      }
      action
      subject
      outcome
      ipAddress
    }
  }
}`,
    variables: () => ({}),
    refresh: unchanged,
  },
];
