//! The American cities of the catalogue: Mexico City, Montreal and Buenos Aires.

use super::{City, Listing, Policy};

/// Mexico City, Mexico: 6 listings.
pub(super) const MEXICO_CITY: City = City {
    name: "Mexico City",
    country: "Mexico",
    time_zone: "America/Mexico_City",
    hosts: &["Ximena Arredondo", "Mateo Villalpando"],
    listings: &[
        Listing {
            title: "Corner flat with tall windows over a tree-lined avenue",
            description: "A first-floor flat in a building from 1924, with three tall windows \
                over the jacarandas. One bedroom, a writing desk and a kitchen with a stone \
                mortar and a good blender. The avenue is lively at weekends; the bedroom faces \
                the inner patio.",
            area: "Roma Norte",
            latitude: 19.4186,
            longitude: -99.1617,
            price_per_night: 108,
            cleaning_fee: 35,
            max_guests: 3,
            amenities: &["wifi", "kitchen", "washer", "workspace", "balcony"],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Plant-filled apartment by the oval park",
            description: "The living room has more plants than furniture, and the dog park is one \
                minute away. The bed is a king, the shower has strong pressure and drinking water \
                comes from a filter tap. A lift serves all five floors, and the roof has loungers \
                and a grill.",
            area: "Condesa",
            latitude: 19.4120,
            longitude: -99.1707,
            price_per_night: 124,
            cleaning_fee: 40,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "elevator",
                "workspace",
                "pets_allowed",
                "barbecue",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Blue-walled house with a patio and a guava tree",
            description: "Three bedrooms around a patio, with thick walls, clay floor tiles and a \
                fountain that can be switched off at night. The market with its tostada stalls is \
                six minutes away, and the main square is ten. A cot and a high chair are in the \
                cupboard under the stairs.",
            area: "Coyoacán",
            latitude: 19.3550,
            longitude: -99.1580,
            price_per_night: 165,
            cleaning_fee: 50,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "garden",
                "parking",
                "crib",
                "fireplace",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Stone studio on the street of the Saturday art fair",
            description: "A converted stable with volcanic-stone walls, a skylight and a bed on a \
                raised platform. It opens directly onto the owners' garden, where breakfast is \
                served under the bougainvillea. On Saturdays the square fills with painters' \
                stalls and parking is difficult.",
            area: "San Ángel",
            latitude: 19.3461,
            longitude: -99.1898,
            price_per_night: 92,
            cleaning_fee: 28,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "garden", "breakfast", "fireplace"],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Rooftop loft behind the cathedral square",
            description: "A sixth-floor loft with a lift, a concrete kitchen and a private \
                terrace with a view of domes and bell towers. Bells start at seven. The metro is \
                two minutes away and the street of second-hand bookshops is around the corner.",
            area: "Centro Histórico",
            latitude: 19.4352,
            longitude: -99.1358,
            price_per_night: 89,
            cleaning_fee: 30,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "elevator",
                "balcony",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Step-free two-bedroom near the main avenue",
            description: "A newer building with a ramp, a wide lift and a walk-in shower with a \
                seat. Two bedrooms with queen beds, a washer-dryer and double glazing towards the \
                street. The avenue closes to cars on Sunday mornings, and two bicycles are kept \
                on the balcony.",
            area: "Juárez",
            latitude: 19.4268,
            longitude: -99.1612,
            price_per_night: 117,
            cleaning_fee: 38,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "elevator",
                "step_free",
                "balcony",
                "bicycle",
                "parking",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
    ],
};

/// Montreal, Canada: 6 listings.
pub(super) const MONTREAL: City = City {
    name: "Montreal",
    country: "Canada",
    time_zone: "America/Toronto",
    hosts: &["Élodie Gervais", "Anthony Lombardi"],
    listings: &[
        Listing {
            title: "Second-floor walk-up with an outside staircase",
            description: "The classic curved iron staircase leads to a two-bedroom flat with \
                maple floors and a claw-foot tub. The back balcony looks over a green lane where \
                the neighbours' children play hockey. Groceries, bagels and the metro are all \
                within eight minutes.",
            area: "Plateau-Mont-Royal",
            latitude: 45.5226,
            longitude: -73.5791,
            price_per_night: 134,
            cleaning_fee: 50,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "balcony",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Musician's flat with an upright piano",
            description: "A one-bedroom flat with a tuned upright piano, a wall of records and \
                thick walls on both sides. Playing is fine until nine in the evening. The kitchen \
                has a gas stove and a stovetop coffee maker, and there are two bicycles in the \
                shed from April to November.",
            area: "Mile End",
            latitude: 45.5241,
            longitude: -73.5998,
            price_per_night: 116,
            cleaning_fee: 40,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "workspace",
                "bicycle",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Greystone loft beside the old port",
            description: "Exposed beams and a stone wall in a former warehouse, with a lift from \
                the lobby and a king-size bed on the mezzanine. A sofa bed in the main room \
                sleeps two more. Carriage-width streets mean deliveries start early, so the \
                bedroom has heavy curtains.",
            area: "Old Montreal",
            latitude: 45.5046,
            longitude: -73.5559,
            price_per_night: 208,
            cleaning_fee: 70,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "elevator",
                "workspace",
                "fireplace",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
        Listing {
            title: "Ground-floor flat two blocks from the market",
            description: "Walk to the market for tomatoes and cheese, then cook in a kitchen with \
                a large island and real olive oil. There is one step at the front door and none \
                inside. A tomato patch, a grill and a picnic table fill the small yard.",
            area: "Little Italy",
            latitude: 45.5337,
            longitude: -73.6128,
            price_per_night: 122,
            cleaning_fee: 45,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "garden",
                "barbecue",
                "crib",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Family duplex close to the river beach",
            description: "A three-bedroom duplex with a finished basement, a crib, bunk beds and \
                a shelf of board games. The urban beach and the cycle path along the rapids are \
                ten minutes on foot. There is a parking space at the back, cleared of snow in \
                winter.",
            area: "Verdun",
            latitude: 45.4601,
            longitude: -73.5679,
            price_per_night: 158,
            cleaning_fee: 60,
            max_guests: 7,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "parking",
                "crib",
                "bicycle",
                "barbecue",
                "pets_allowed",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Canal-side condo with a rooftop pool",
            description: "A fourth-floor condo beside the canal path, with one bedroom, a balcony \
                and level access from the street to the lift. The shared rooftop pool is open \
                from June to September, and the sauna all year. The food market is five minutes \
                along the water.",
            area: "Saint-Henri",
            latitude: 45.4789,
            longitude: -73.5792,
            price_per_night: 145,
            cleaning_fee: 50,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "air_conditioning",
                "elevator",
                "pool",
                "sauna",
                "balcony",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
    ],
};

/// Buenos Aires, Argentina: 6 listings.
pub(super) const BUENOS_AIRES: City = City {
    name: "Buenos Aires",
    country: "Argentina",
    time_zone: "America/Argentina/Buenos_Aires",
    hosts: &["Lucía Etcheverry", "Federico Zanetti"],
    listings: &[
        Listing {
            title: "Old-town flat with a wrought-iron balcony",
            description: "A one-bedroom flat on the second floor of a 1910 house, with double \
                doors onto a balcony above the cobbles. The Sunday antiques fair passes below the \
                window, so expect drums until the early evening. The bed is a queen and the \
                floors are original pine.",
            area: "San Telmo",
            latitude: -34.6206,
            longitude: -58.3721,
            price_per_night: 58,
            cleaning_fee: 20,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "air_conditioning", "heating", "balcony"],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Patio house with a grill and a small pool",
            description: "A long house built around a patio with a five-metre pool, a brick grill \
                and a table for ten. Four bedrooms open off the gallery, two of them with their \
                own bathroom. Music outdoors must stop at ten, as the neighbours share the wall.",
            area: "Palermo",
            latitude: -34.5882,
            longitude: -58.4298,
            price_per_night: 210,
            cleaning_fee: 65,
            max_guests: 8,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "pool",
                "barbecue",
                "garden",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "Classic apartment with a cage lift and marble hall",
            description: "A two-bedroom apartment on the fifth floor, reached by a cage lift that \
                the porter will show you how to close. Parquet floors, a dining room with a \
                chandelier and a kitchen with a breakfast corner. The fine arts museum is nine \
                minutes on foot.",
            area: "Recoleta",
            latitude: -34.5891,
            longitude: -58.3932,
            price_per_night: 104,
            cleaning_fee: 35,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "elevator",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Light studio by the flea market sheds",
            description: "A third-floor studio with a lift, a large north-facing window and a \
                desk that was once a draughtsman's table. The flea market with its lamps and \
                armchairs is seven minutes away. The roof terrace has a shared grill that guests \
                can book for an evening.",
            area: "Colegiales",
            latitude: -34.5801,
            longitude: -58.4497,
            price_per_night: 46,
            cleaning_fee: 16,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "air_conditioning",
                "heating",
                "elevator",
                "workspace",
                "barbecue",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Corner flat above a neighbourhood café",
            description: "Two bedrooms and a sitting room with a record player, one floor above a \
                café that opens at eight. The owners leave fresh croissants on the first morning. \
                The stadium is some blocks away; on match days the street is loud for an hour.",
            area: "Villa Crespo",
            latitude: -34.5984,
            longitude: -58.4401,
            price_per_night: 72,
            cleaning_fee: 24,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "balcony",
                "bicycle",
                "breakfast",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Twelfth-floor family flat with a garage",
            description: "Three bedrooms, two bathrooms and a balcony with a safety net, high \
                above a street of plane trees. The building has a shared pool in summer, a ramp \
                at the entrance and a numbered garage space. The underground line to the centre \
                is two minutes away.",
            area: "Belgrano",
            latitude: -34.5612,
            longitude: -58.4562,
            price_per_night: 112,
            cleaning_fee: 38,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "elevator",
                "pool",
                "parking",
                "balcony",
                "crib",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
    ],
};
