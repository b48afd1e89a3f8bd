// What an application asks for, to be read by relay-compiler alone.

// ---------------------------------------------------------------- homes

graphql`
  query StaysHomesQuery($filter: PropertyFilter, $count: Int!) {
    ...Stays_homes @arguments(filter: $filter, count: $count)
  }
`;

graphql`
  fragment Stays_homes on Query
  @refetchable(queryName: "StaysHomesPaginationQuery")
  @argumentDefinitions(filter: { type: "PropertyFilter" }, count: { type: "Int!" }, cursor: { type: "String" }) {
    properties(filter: $filter, sort: PRICE_ASC, first: $count, after: $cursor) @connection(key: "Stays_properties") {
      totalCount
      edges {
        node {
          id
          ...Stays_home
        }
      }
    }
  }
`;

graphql`
  fragment Stays_home on Property @refetchable(queryName: "StaysHomeRefetchQuery") {
    id
    title
    location
    pricePerNight {
      amount
      currency
    }
  }
`;

graphql`
  query StaysBothQuery($bookingId: ID!, $homeId: ID!) {
    booking(id: $bookingId) @catch {
      id
    }
    property(id: $homeId) {
      id
    }
  }
`;

// ---------------------------------------------------------------- bookings

graphql`
  query StaysTripsQuery($count: Int!) {
    viewer {
      ...Stays_trips @arguments(count: $count)
    }
  }
`;

graphql`
  fragment Stays_trips on Viewer
  @refetchable(queryName: "StaysTripsPaginationQuery")
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" }) {
    bookings(first: $count, after: $cursor) @connection(key: "Stays_bookings") {
      __id
      edges {
        node {
          id
          ...Stays_booking
        }
      }
    }
  }
`;

graphql`
  fragment Stays_booking on Booking @refetchable(queryName: "StaysBookingRefetchQuery") {
    id
    status
    payment {
      status
    }
  }
`;

graphql`
  mutation StaysBookMutation($input: CreateBookingInput!, $connections: [ID!]!) {
    createBooking(input: $input) {
      booking @prependNode(connections: $connections, edgeTypeName: "BookingEdge") {
        id
        events {
          cursor
        }
        ...Stays_booking
      }
      userErrors {
        field
        code
      }
    }
  }
`;

graphql`
  mutation StaysPayMutation($input: CreatePaymentInput!) {
    createPayment(input: $input) {
      payment {
        booking {
          ...Stays_booking
        }
      }
      userErrors {
        field
        code
      }
    }
  }
`;

graphql`
  subscription StaysBookingSubscription($id: ID!, $after: String) {
    bookingStatusChanged(bookingId: $id, after: $after) {
      from
      to
      booking {
        ...Stays_booking
      }
    }
  }
`;
