// A part of Staygate's schema, served by GraphQL Yoga over the same database, for the benchmarks to compare with.
//
// One process for each core, as Staygate has a thread for each. Relations load in batches, a loader for each request; statements are
// prepared, and a connection of their pool is taken for one statement.
//
//   DATABASE_URL=postgres://… node server.mjs
//
// DATABASE_CONNECTIONS is the most connections of a process (8), RESPONSE_CACHE=on keeps answers for a minute, PORT is where it listens
// (any free port).

import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { availableParallelism } from 'node:os'

import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import DataLoader from 'dataloader'
import { createSchema, createYoga } from 'graphql-yoga'
import pg from 'pg'

const typeDefs = /* GraphQL */ `
  type Query {
    property(id: ID!): Property
    properties(filter: PropertyFilter, first: Int = 20): PropertyConnection!
  }
  input PropertyFilter {
    location: String
  }
  type PropertyConnection {
    nodes: [Property!]!
  }
  type Property {
    id: ID!
    title: String!
    description: String!
    location: String!
    latitude: Float
    longitude: Float
    pricePerNight: Money!
    cleaningFee: Money!
    maxGuests: Int!
    averageRating: Float
    reviewCount: Int!
    host: User!
    reviews(first: Int = 20): ReviewConnection!
  }
  type Money {
    amount: String!
    currency: String!
  }
  type User {
    id: ID!
    fullName: String!
  }
  type ReviewConnection {
    nodes: [Review!]!
  }
  type Review {
    id: ID!
    rating: Int!
    comment: String
    createdAt: String!
    author: User!
  }
`

const propertyColumns = `property_id, host_id, title, description, location, latitude, longitude, price_per_night, cleaning_fee,
  max_guests, rating_hundredths, review_count`

// `place` holds folded words; its trigram index finds the city. The ids are sorted before any row of a property is read.
const page = {
  name: 'page',
  text: `WITH found AS MATERIALIZED (SELECT property_id FROM property_search WHERE place LIKE '%' || $1 || '%')
    SELECT p.* FROM (SELECT property_id FROM found ORDER BY property_id DESC OFFSET 0) AS f
    CROSS JOIN LATERAL (SELECT ${propertyColumns} FROM properties
      WHERE property_id = f.property_id AND status = 'LISTED' AND deleted_at IS NULL) AS p
    ORDER BY f.property_id DESC LIMIT $2`,
}
const newest = {
  name: 'newest',
  text: `SELECT ${propertyColumns} FROM properties
    WHERE status = 'LISTED' AND deleted_at IS NULL ORDER BY property_id DESC LIMIT $1`,
}
const properties = {
  name: 'properties',
  text: `SELECT ${propertyColumns} FROM properties
    WHERE property_id = ANY($1::int[]) AND status = 'LISTED' AND deleted_at IS NULL`,
}
const users = { name: 'users', text: 'SELECT user_id, full_name FROM users WHERE user_id = ANY($1::int[])' }
const reviews = {
  name: 'reviews',
  text: `SELECT r.* FROM unnest($1::int[]) AS p(property_id) CROSS JOIN LATERAL (
      SELECT review_id, property_id, guest_id, rating, comment, created_at FROM reviews
      WHERE reviews.property_id = p.property_id ORDER BY review_id DESC LIMIT $2) AS r`,
}

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DATABASE_CONNECTIONS ?? 8),
})

const rows = async (statement, ...values) => (await pool.query({ ...statement, values })).rows

/** Loads rows by their keys, in one statement for all that are asked for in one go. */
const byKey = (statement, key) =>
  new DataLoader(async (keys) => {
    const found = new Map((await rows(statement, keys)).map((row) => [row[key], row]))
    return keys.map((id) => found.get(id) ?? null)
  })

/** Loads the newest reviews of properties; a loader for each length. */
const newestReviews = (length) =>
  new DataLoader(async (ids) => {
    const found = new Map(ids.map((id) => [id, []]))
    for (const row of await rows(reviews, ids, length)) found.get(row.property_id).push(row)
    return ids.map((id) => found.get(id))
  })

class Loaders {
  users = byKey(users, 'user_id')
  properties = byKey(properties, 'property_id')
  #reviews = new Map()

  reviews(length) {
    if (!this.#reviews.has(length)) this.#reviews.set(length, newestReviews(length))
    return this.#reviews.get(length)
  }
}

const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString('base64url')

const keyOf = (type, id) => {
  const [, found, key] = /^(\w+):(\d+)$/.exec(Buffer.from(id, 'base64url').toString()) ?? []
  return found === type ? Number(key) : null
}

/** The words of a place as the table keeps them: without case and accents. */
const folded = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

const money = (amount) => ({ amount, currency: 'USD' })

const resolvers = {
  Query: {
    property: (_, { id }, { loaders }) => {
      const key = keyOf('Property', id)
      return key === null ? null : loaders.properties.load(key)
    },
    properties: async (_, { filter, first }) => ({
      nodes: filter?.location ? await rows(page, folded(filter.location), first) : await rows(newest, first),
    }),
  },
  Property: {
    id: (row) => globalId('Property', row.property_id),
    pricePerNight: (row) => money(row.price_per_night),
    cleaningFee: (row) => money(row.cleaning_fee),
    maxGuests: (row) => row.max_guests,
    averageRating: (row) => (row.review_count ? row.rating_hundredths / 100 : null),
    reviewCount: (row) => row.review_count,
    host: (row, _, { loaders }) => loaders.users.load(row.host_id),
    reviews: async (row, { first }, { loaders }) => ({ nodes: await loaders.reviews(first).load(row.property_id) }),
  },
  User: {
    id: (row) => globalId('User', row.user_id),
    fullName: (row) => row.full_name,
  },
  Review: {
    id: (row) => globalId('Review', row.review_id),
    createdAt: (row) => row.created_at.toISOString().replace('.000Z', 'Z'),
    author: (row, _, { loaders }) => loaders.users.load(row.guest_id),
  },
}

const serve = () => {
  const caches = process.env.RESPONSE_CACHE === 'on'
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    context: () => ({ loaders: new Loaders() }),
    plugins: caches ? [useResponseCache({ session: () => null, ttl: 60_000 })] : [],
    graphiql: false,
    landingPage: false,
    logging: 'warn',
  })
  createServer(yoga).listen(Number(process.env.PORT ?? 0), '127.0.0.1')
}

if (cluster.isPrimary) {
  const processes = availableParallelism()
  let listening = 0
  cluster.on('listening', (_, { port }) => {
    listening += 1
    if (listening === processes) console.log(`serving on http://127.0.0.1:${port}/graphql`)
  })
  for (let started = 0; started < processes; started += 1) cluster.fork()
} else {
  serve()
}
