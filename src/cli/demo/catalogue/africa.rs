//! The African cities of the catalogue: Marrakesh, Nairobi and Cape Town.

use super::{City, Listing, Policy};

/// Marrakesh, Morocco: 6 listings.
pub(super) const MARRAKESH: City = City {
    name: "Marrakesh",
    country: "Morocco",
    time_zone: "Africa/Casablanca",
    hosts: &["Salma Berrada", "Youssef Tazi"],
    listings: &[
        Listing {
            title: "Small riad with a plunge pool and three bedrooms",
            description: "The whole house is yours: three bedrooms around a courtyard with a \
                plunge pool and two orange trees. Mint tea is ready on arrival, and breakfast is \
                laid on the roof terrace from eight. Cars stop at the fountain; a porter with a \
                cart takes bags the last three minutes.",
            area: "Mouassine",
            latitude: 31.6306,
            longitude: -7.9896,
            price_per_night: 189,
            cleaning_fee: 50,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "air_conditioning",
                "heating",
                "pool",
                "breakfast",
                "balcony",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Rooftop room and terrace near the royal tombs",
            description: "An independent room with a kitchenette at the top of a family house, \
                opening on a terrace of its own. Storks nest on the wall opposite in spring. It \
                is forty-one steps up, and the call to prayer is clear at dawn.",
            area: "Kasbah",
            latitude: 31.6181,
            longitude: -7.9889,
            price_per_night: 58,
            cleaning_fee: 18,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "air_conditioning",
                "balcony",
                "breakfast",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Modern two-bedroom with a lift in the new town",
            description: "A fifth-floor flat on a wide avenue with cafés, a pharmacy and a \
                supermarket below. Both bedrooms have air conditioning and fitted wardrobes, and \
                the underground space fits a small car. The medina is ten minutes by taxi.",
            area: "Gueliz",
            latitude: 31.6366,
            longitude: -8.0102,
            price_per_night: 84,
            cleaning_fee: 30,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "elevator",
                "parking",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Garden apartment with a shared pool and palms",
            description: "A ground-floor apartment in a low residence with a shared pool open \
                from nine to seven. The terrace has a shaded table and gives straight onto the \
                lawn, with no steps from the car park. The walls of the old city are fifteen \
                minutes on foot.",
            area: "Hivernage",
            latitude: 31.6239,
            longitude: -8.0063,
            price_per_night: 112,
            cleaning_fee: 35,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "pool",
                "garden",
                "parking",
                "step_free",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Earth-walled villa among the date palms",
            description: "A low villa built of rammed earth, with four bedrooms, a twelve-metre \
                pool and a vegetable plot that guests may use. The caretaker lives at the gate \
                and can cook dinner if asked the day before. You will need a car; the centre is \
                about twenty minutes away.",
            area: "Palmeraie",
            latitude: 31.6722,
            longitude: -7.9648,
            price_per_night: 320,
            cleaning_fee: 85,
            max_guests: 8,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "pool",
                "garden",
                "parking",
                "fireplace",
                "barbecue",
                "pets_allowed",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
        Listing {
            title: "Painted-ceiling dar on a quiet lane by the gate",
            description: "A two-bedroom town house with a painted cedar ceiling in the salon and \
                a kitchen open to the patio. The lane is closed to motorbikes in the evening, \
                which is rare in the medina. Taxis wait at the gate, two minutes from the door.",
            area: "Bab Doukkala",
            latitude: 31.6324,
            longitude: -7.9964,
            price_per_night: 97,
            cleaning_fee: 30,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "fireplace",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
    ],
};

/// Nairobi, Kenya: 6 listings.
pub(super) const NAIROBI: City = City {
    name: "Nairobi",
    country: "Kenya",
    time_zone: "Africa/Nairobi",
    hosts: &["Wanjiru Gathogo", "Brian Ochola"],
    listings: &[
        Listing {
            title: "Ninth-floor one-bedroom with a city view",
            description: "A tidy flat on the ninth floor with a balcony facing the towers and the \
                sunset. There is a desk with a monitor, fibre internet and a generator that \
                starts within seconds. The building has a heated pool, a gym and guards at the \
                gate day and night.",
            area: "Westlands",
            latitude: -1.2661,
            longitude: 36.8049,
            price_per_night: 68,
            cleaning_fee: 20,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "workspace",
                "pool",
                "elevator",
                "parking",
                "balcony",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Two-bedroom flat in a leafy walled compound",
            description: "The flat is one of eight in a calm compound with tall jacarandas and a \
                lawn at the back. Both bedrooms have mosquito nets and their own bathroom, and \
                the kitchen has a gas cooker and a water filter. A small shop by the gate sells \
                bread, milk and airtime.",
            area: "Kilimani",
            latitude: -1.2865,
            longitude: 36.7870,
            price_per_night: 74,
            cleaning_fee: 22,
            max_guests: 4,
            amenities: &[
                "wifi", "kitchen", "washer", "parking", "garden", "elevator", "crib",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Garden cottage with a fireplace under old trees",
            description: "A stone cottage at the bottom of a two-acre garden, with a fireplace \
                for the cool evenings of July. Sunbirds and the occasional hornbill come to the \
                bird bath by the veranda. The giraffe sanctuary and the forest trails are a short \
                drive away.",
            area: "Karen",
            latitude: -1.3248,
            longitude: 36.7103,
            price_per_night: 115,
            cleaning_fee: 30,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "fireplace",
                "garden",
                "parking",
                "breakfast",
                "pets_allowed",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Four-bedroom house with a lawn for the children",
            description: "A family house behind a hedge, with a swing, a trampoline and a lawn \
                big enough for football. The kitchen has a double fridge and a long table, and a \
                housekeeper comes on weekday mornings. There is solar hot water and space for \
                three cars.",
            area: "Lavington",
            latitude: -1.2791,
            longitude: 36.7692,
            price_per_night: 185,
            cleaning_fee: 50,
            max_guests: 8,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "workspace",
                "garden",
                "parking",
                "barbecue",
                "crib",
                "pets_allowed",
                "fireplace",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "Step-free studio near the forest and the embassies",
            description: "A ground-floor studio with a level entrance, a wide bathroom and grab \
                rails by the shower. It is on a patrolled road five minutes from the forest gate, \
                where bicycles can be taken in; one is provided. The bed can be made up as a \
                double or as twins.",
            area: "Gigiri",
            latitude: -1.2323,
            longitude: 36.8082,
            price_per_night: 82,
            cleaning_fee: 20,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "workspace",
                "parking",
                "step_free",
                "bicycle",
                "garden",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Airy three-bedroom by the food street",
            description: "A second-floor flat in a small block, with terrazzo floors and windows \
                on three sides. The street behind is known for its grill houses and bakeries, and \
                stays busy until about ten. One bedroom has twin beds; the other two have \
                queen-size beds with nets.",
            area: "Parklands",
            latitude: -1.2614,
            longitude: 36.8182,
            price_per_night: 92,
            cleaning_fee: 28,
            max_guests: 6,
            amenities: &[
                "wifi", "kitchen", "washer", "parking", "balcony", "elevator",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
    ],
};

/// Cape Town, South Africa: 6 listings.
pub(super) const CAPE_TOWN: City = City {
    name: "Cape Town",
    country: "South Africa",
    time_zone: "Africa/Johannesburg",
    hosts: &["Thandeka Mahlangu", "Pieter Lategan"],
    listings: &[
        Listing {
            title: "Bright yellow cottage on a steep cobbled street",
            description: "A two-bedroom cottage from the 1830s with thick walls that stay cool in \
                February. The stoep at the front catches the last sun, and the back step looks up \
                at the mountain. Spice shops and the city bowl are a ten-minute walk downhill.",
            area: "Bo-Kaap",
            latitude: -33.9206,
            longitude: 18.4146,
            price_per_night: 105,
            cleaning_fee: 35,
            max_guests: 4,
            amenities: &["wifi", "kitchen", "washer", "heating", "fireplace"],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Sixth-floor flat on the promenade with ocean sunsets",
            description: "One bedroom, one long balcony and nothing between you and the Atlantic \
                but the lawn and the sea wall. Two bicycles are kept in the storeroom for the \
                promenade. The tidal pool opens at seven, and the lift has a battery for power \
                cuts.",
            area: "Sea Point",
            latitude: -33.9163,
            longitude: 18.3882,
            price_per_night: 138,
            cleaning_fee: 40,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "elevator",
                "balcony",
                "sea_view",
                "bicycle",
                "parking",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Victorian terrace house near the railway line",
            description: "Pressed-tin ceilings, three bedrooms with sash windows and a shady back \
                yard with a grill. Bookshops, cheap curry and live music are around the corner. \
                You will hear the trains until nine in the evening; the back bedroom is the \
                quietest.",
            area: "Observatory",
            latitude: -33.9376,
            longitude: 18.4688,
            price_per_night: 88,
            cleaning_fee: 35,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "garden",
                "barbecue",
                "workspace",
                "pets_allowed",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Fisherman's cottage above the harbour",
            description: "Forty steps above the harbour, with a bench outside the door for \
                watching the boats come in. Inside are two small bedrooms, a pot-bellied stove \
                and a kitchen with a window over False Bay. Seals bark in the early morning; most \
                guests come to like it.",
            area: "Kalk Bay",
            latitude: -34.1274,
            longitude: 18.4484,
            price_per_night: 126,
            cleaning_fee: 40,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "fireplace",
                "sea_view",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Surf flat two streets from the warm-water beach",
            description: "A simple, sandy-feet-welcome flat with an outdoor shower, a board rack \
                and a braai on the patio. It sleeps four in a double room and a bunk room. The \
                beach for beginners is three minutes away, and the train along the coast stops \
                five minutes from the door.",
            area: "Muizenberg",
            latitude: -34.1054,
            longitude: 18.4703,
            price_per_night: 79,
            cleaning_fee: 30,
            max_guests: 4,
            amenities: &[
                "wifi", "kitchen", "washer", "barbecue", "parking", "bicycle",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Hillside house with a pool below Lion's Head",
            description: "Four bedrooms on two levels, with a solar-heated pool and a deck that \
                looks over the city to the harbour. There is a cot, a pool fence and a stair gate \
                for families with small children. The footpath up the mountain starts twelve \
                minutes from the gate.",
            area: "Tamboerskloof",
            latitude: -33.9277,
            longitude: 18.4058,
            price_per_night: 295,
            cleaning_fee: 80,
            max_guests: 8,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "pool",
                "garden",
                "parking",
                "barbecue",
                "crib",
                "workspace",
                "balcony",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
    ],
};
