//! What readers ask for.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    data::Data,
    operations::{self, begins},
    readers::Readers,
    rows::Meter,
    scripts,
};

/// One operation, for each city or home of the sample.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The names of its rows about growth: of ours, and of pgbench's.
    pub(super) growth: [&'static str; 2],
    pub(super) bodies: Vec<String>,
    begins: &'static str,
    /// How much of pgbench it must reach.
    pub(super) least: f64,
    /// How much processor time an answer may take, in milliseconds.
    pub(super) most: Option<f64>,
    scripts: fn(&Data, &Path) -> anyhow::Result<Vec<PathBuf>>,
}

impl Kind {
    /// The search, in cities of a database.
    pub(super) fn search(data: &Data) -> anyhow::Result<Self> {
        let cities = data.cities()?;
        Ok(Self {
            name: "search",
            growth: ["search", "search, its limit"],
            bodies: cities.iter().map(|city| operations::search(city)).collect(),
            begins: begins::SEARCH,
            least: 0.75,
            most: Some(0.4),
            scripts: |data, folder| scripts::of_searches(data, &data.cities()?, folder),
        })
    }

    /// A look at homes of a database.
    pub(super) fn detail(data: &Data) -> anyhow::Result<Self> {
        let homes = data.properties()?;
        Ok(Self {
            name: "detail",
            growth: ["detail", "detail, its limit"],
            bodies: homes.into_iter().map(operations::detail).collect(),
            begins: begins::DETAIL,
            least: 0.5,
            most: None,
            scripts: |data, folder| scripts::of_details(data, &data.properties()?, folder),
        })
    }

    /// Signed-out readers, who ask a server for it.
    pub(super) fn readers(&self, name: &'static str, address: SocketAddr, meter: Meter) -> Readers {
        Readers {
            name,
            address,
            begins: self.begins,
            next: Readers::of(&self.bodies),
            meter,
        }
    }

    /// The statements of an expert for it.
    pub(super) fn scripts(&self, data: &Data, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        (self.scripts)(data, folder)
    }
}
