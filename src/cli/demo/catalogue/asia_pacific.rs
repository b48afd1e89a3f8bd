//! The Asian and Pacific cities of the catalogue: Kyoto, Hanoi and Melbourne.

use super::{City, Listing, Policy};

/// Kyoto, Japan: 6 listings.
pub(super) const KYOTO: City = City {
    name: "Kyoto",
    country: "Japan",
    time_zone: "Asia/Tokyo",
    hosts: &["Haruka Nishimoto", "Kenji Okabe"],
    listings: &[
        Listing {
            title: "Wooden townhouse on a lantern-lit lane",
            description: "A restored machiya with a tatami room, a cypress bath and a pocket \
                garden of moss and stone. Futons are laid out for up to four, and there is a \
                Western bed in the small upstairs room. Please keep voices low on the lane after \
                nine; the neighbours are close.",
            area: "Gion",
            latitude: 35.0038,
            longitude: 135.7758,
            price_per_night: 245,
            cleaning_fee: 70,
            max_guests: 5,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "garden",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
        Listing {
            title: "Weaver's house with a loom in the front room",
            description: "A long, narrow house in the weaving quarter, with the family's old loom \
                kept in the front room. The kitchen has been rebuilt with an induction hob and a \
                good rice cooker, and two bicycles stand in the earth-floored passage. The \
                nearest bath house is open until midnight.",
            area: "Nishijin",
            latitude: 35.0311,
            longitude: 135.7482,
            price_per_night: 132,
            cleaning_fee: 45,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "bicycle",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Second-floor flat by the canal and the museums",
            description: "A calm one-bedroom flat with cherry trees along the canal outside the \
                bedroom window. The museums, the zoo and the big vermilion gate are all within \
                ten minutes on foot. The building has a lift, and the bathroom has a deep tub \
                with reheating.",
            area: "Okazaki",
            latitude: 35.0147,
            longitude: 135.7790,
            price_per_night: 118,
            cleaning_fee: 40,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "elevator",
                "balcony",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Storehouse loft in the sake district",
            description: "Thick white plaster walls and dark beams in a former rice store, now \
                one large room with a sleeping loft. In winter you can smell the steamed rice \
                from the breweries down the street. The station is seven minutes away and trains \
                to the centre take about a quarter of an hour.",
            area: "Fushimi",
            latitude: 34.9311,
            longitude: 135.7622,
            price_per_night: 96,
            cleaning_fee: 35,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "parking",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Riverside family house near the bamboo paths",
            description: "A two-storey house with a lawn, a swing seat and views of the wooded \
                hills across the river. There is a children's futon set, a cot and a step stool \
                in the bathroom. Go out before eight to have the bamboo paths almost to \
                yourselves.",
            area: "Arashiyama",
            latitude: 35.0164,
            longitude: 135.6786,
            price_per_night: 178,
            cleaning_fee: 60,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "garden",
                "parking",
                "crib",
                "bicycle",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Garden studio near the shrine forest",
            description: "A separate studio behind the hosts' home, with its own entrance and a \
                sliding window on the garden. A Japanese breakfast of grilled fish, rice and \
                pickles can be brought at eight. The shrine forest and the river fork are ten \
                minutes on foot.",
            area: "Shimogamo",
            latitude: 35.0376,
            longitude: 135.7692,
            price_per_night: 88,
            cleaning_fee: 25,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "air_conditioning",
                "heating",
                "garden",
                "breakfast",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
    ],
};

/// Hanoi, Vietnam: 6 listings.
pub(super) const HANOI: City = City {
    name: "Hanoi",
    country: "Vietnam",
    time_zone: "Asia/Ho_Chi_Minh",
    hosts: &["Nguyễn Thu Hằng", "Trần Quốc Bảo"],
    listings: &[
        Listing {
            title: "Balcony studio above a street of silk shops",
            description: "A third-floor studio with patterned floor tiles and a small balcony \
                full of ferns. The street is busy from seven in the morning and calm after eleven \
                at night; earplugs are in the drawer. Noodle soup for breakfast is sold at the \
                door across the road.",
            area: "Old Quarter",
            latitude: 21.0344,
            longitude: 105.8509,
            price_per_night: 38,
            cleaning_fee: 12,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "air_conditioning", "balcony"],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Lakeside two-bedroom with a wide terrace",
            description: "The terrace faces the lake and has a table for six, a hammock and herbs \
                you may pick. Both bedrooms have their own bathroom and quiet air conditioning. \
                There is a lift, a lockable place for bicycles, and a path around the water \
                outside the gate.",
            area: "Tây Hồ",
            latitude: 21.0631,
            longitude: 105.8278,
            price_per_night: 76,
            cleaning_fee: 22,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "elevator",
                "balcony",
                "bicycle",
                "workspace",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Small house on the island of coffee shops",
            description: "A four-storey tube house with one room on each floor and a roof deck at \
                the top. The kitchen on the ground floor opens to the alley, where the neighbours \
                will say hello. It suits families with older children; the stairs are steep.",
            area: "Trúc Bạch",
            latitude: 21.0457,
            longitude: 105.8414,
            price_per_night: 82,
            cleaning_fee: 25,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "balcony",
                "heating",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Garden-level flat beside the flower village lanes",
            description: "A level-access flat at the end of a lane that once grew flowers for the \
                city. It has one bedroom, a day bed in the living room and a small yard with a \
                starfruit tree. The botanical garden is eight minutes away on foot.",
            area: "Ba Đình",
            latitude: 21.0371,
            longitude: 105.8287,
            price_per_night: 45,
            cleaning_fee: 14,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "garden",
                "step_free",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "High-ceilinged flat in a colonial block",
            description: "Shutters, ceiling fans and four-metre ceilings in a yellow block near \
                the opera house. The large bedroom has a king-size bed and a desk at the window; \
                the second has twin beds. The stairwell is old and plain, the flat itself was \
                renovated last year.",
            area: "French Quarter",
            latitude: 21.0216,
            longitude: 105.8527,
            price_per_night: 94,
            cleaning_fee: 28,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "River-view house across the old iron bridge",
            description: "A three-bedroom house near the dyke, with a roof terrace where you can \
                see the river and the iron bridge. There is a garage for one car, a grill on the \
                roof and two bicycles for the banana fields below. The Old Quarter is ten minutes \
                away by taxi.",
            area: "Long Biên",
            latitude: 21.0446,
            longitude: 105.8703,
            price_per_night: 68,
            cleaning_fee: 22,
            max_guests: 7,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "balcony",
                "parking",
                "barbecue",
                "bicycle",
                "pets_allowed",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
    ],
};

/// Melbourne, Australia: 6 listings.
pub(super) const MELBOURNE: City = City {
    name: "Melbourne",
    country: "Australia",
    time_zone: "Australia/Melbourne",
    hosts: &["Imogen Hartley", "Deepak Rajan"],
    listings: &[
        Listing {
            title: "Brick terrace with a courtyard off Brunswick Street",
            description: "A narrow brick terrace with two bedrooms, a fireplace in the front room \
                and a courtyard under a grape vine. The coffee is good in every direction. Trams \
                to the centre stop at the end of the street, and a parking permit hangs by the \
                door.",
            area: "Fitzroy",
            latitude: -37.7986,
            longitude: 144.9784,
            price_per_night: 182,
            cleaning_fee: 65,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "fireplace",
                "garden",
                "parking",
                "barbecue",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Art deco flat near the pier and the palm trees",
            description: "A one-bedroom flat in a curved 1930s block, with the original terrazzo \
                in the hall and a new kitchen. From the balcony you can see a strip of the bay \
                between two palms. The beach is six minutes away, and penguins return to the \
                breakwater after dusk.",
            area: "St Kilda",
            latitude: -37.8637,
            longitude: 144.9796,
            price_per_night: 148,
            cleaning_fee: 50,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "balcony",
                "sea_view",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Scholar's flat beside the exhibition gardens",
            description: "Two bedrooms lined with bookshelves, one with a large desk and a \
                reading lamp. The gardens are across the road and the university is twelve \
                minutes on foot. The flat is on the first floor of a Victorian house, up one \
                flight of carpeted stairs.",
            area: "Carlton",
            latitude: -37.8019,
            longitude: 144.9698,
            price_per_night: 156,
            cleaning_fee: 55,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Backyard bungalow with a lemon tree and two bikes",
            description: "A weatherboard bungalow behind the main house, reached by its own side \
                gate. It has a queen bed, a sofa bed, a kitchenette with a proper oven and the \
                use of two bicycles. Dogs are welcome and the yard is fully fenced.",
            area: "Brunswick",
            latitude: -37.7672,
            longitude: 144.9623,
            price_per_night: 98,
            cleaning_fee: 35,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "heating",
                "garden",
                "bicycle",
                "pets_allowed",
                "barbecue",
            ],
            instant_book: false,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Thirty-second-floor two-bedroom over the river",
            description: "Floor-to-ceiling windows face the river and the arts precinct, and both \
                bedrooms have blackout blinds. The building has an indoor pool, a sauna and a \
                step-free entrance from the garage. The galleries and the theatre are five \
                minutes' walk.",
            area: "Southbank",
            latitude: -37.8236,
            longitude: 144.9641,
            price_per_night: 224,
            cleaning_fee: 75,
            max_guests: 5,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "elevator",
                "pool",
                "sauna",
                "parking",
                "step_free",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "Sailmaker's house near the old seaport",
            description: "A four-bedroom timber house with a wide veranda, a claw-foot bath and a \
                playroom in the former sail loft. Ferries to the city leave from the pier ten \
                minutes away, most days of the week. The back garden has a grill, a sandpit and a \
                vegetable bed.",
            area: "Williamstown",
            latitude: -37.8629,
            longitude: 144.8962,
            price_per_night: 268,
            cleaning_fee: 85,
            max_guests: 8,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "garden",
                "barbecue",
                "parking",
                "crib",
                "fireplace",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
    ],
};
