//! Which hosts may be asked. A database server often reaches more than its users should.

use std::net::IpAddr;

use ipnet::IpNet;

/// Hosts and networks that are allowed; without any, all but those that no Odoo lives at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `erp.example.com`
    Name(String),
    /// `*.example.com`, kept as `.example.com`
    Domain(String),
    /// `10.0.0.0/8`
    Network(IpNet),
}

/// Link-local addresses, where clouds answer with the machine's own credentials, and what clouds
/// use for it outside of that range: AWS over IPv6, Alibaba, Azure.
const FORBIDDEN: &str =
    "169.254.0.0/16, fe80::/10, fd00:ec2::254/128, 100.100.100.200/32, 168.63.129.16/32";

impl AllowedHosts {
    /// Reads names, `*.` domains, addresses and networks, divided by commas.
    pub fn parse(text: &str) -> Result<AllowedHosts, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(parse_entry).collect::<Result<_, _>>().map(AllowedHosts)
    }

    /// Whether a host may be asked at all of the addresses that its name has.
    pub fn check(&self, host: &str, addresses: &[IpAddr]) -> Result<(), String> {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let named = self.0.iter().any(|entry| entry.has_name(&host));
        if !self.0.is_empty() && !named && !addresses.iter().any(|a| self.has_address(*a)) {
            return Err("it is not among odoo_etl.allowed_hosts".into());
        }
        let forbidden = AllowedHosts::parse(FORBIDDEN).unwrap_or_default();
        for address in addresses.iter().map(|address| plain(*address)) {
            if self.has_address(address) {
                continue;
            }
            if forbidden.has_address(address) {
                return Err(format!("its address {address} is link-local or a cloud's own"));
            }
            if !self.0.is_empty() && !named {
                return Err(format!("its address {address} is not among odoo_etl.allowed_hosts"));
            }
        }
        Ok(())
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|entry| entry.has_address(plain(address)))
    }
}

impl Entry {
    fn has_name(&self, host: &str) -> bool {
        match self {
            Entry::Name(name) => name == host,
            Entry::Domain(domain) => host.ends_with(domain),
            Entry::Network(_) => false,
        }
    }

    fn has_address(&self, address: IpAddr) -> bool {
        matches!(self, Entry::Network(network) if network.contains(&address))
    }
}

/// The IPv4 address that an IPv6 one stands for.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        four => four,
    }
}

fn parse_entry(entry: &str) -> Result<Entry, String> {
    let wrong = || format!("\"{entry}\" is no host name, *.domain, address or network");
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        None => (entry, None),
    };
    if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
        let network = bits.map_or(Ok(address.into()), |bits| IpNet::new(address, bits));
        return network.map(Entry::Network).map_err(|_| wrong());
    }
    let (name, domain) = match entry.strip_prefix("*.") {
        Some(rest) => (rest, true),
        None => (entry, false),
    };
    let usual = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if bits.is_some() || name.is_empty() || !name.chars().all(usual) {
        return Err(wrong());
    }
    let name = name.to_ascii_lowercase();
    Ok(if domain { Entry::Domain(format!(".{name}")) } else { Entry::Name(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &str, host: &str, addresses: &[&str]) -> bool {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        AllowedHosts::parse(list).unwrap().check(host, &addresses).is_ok()
    }

    #[test]
    fn by_default_all_but_link_local_and_metadata() {
        assert!(allowed("", "erp.example.com", &["93.184.216.34", "2606:2800::1"]));
        assert!(allowed("", "localhost", &["127.0.0.1", "::1"]));
        assert!(allowed("", "intern", &["10.1.2.3"]));
        for address in
            ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.1.1"]
        {
            assert!(!allowed("", "innocent.example.com", &["93.184.216.34", address]), "{address}");
        }
    }

    #[test]
    fn names_domains_and_networks() {
        let list = "erp.example.com, *.shop.example, 10.0.0.0/8, ::1";
        assert!(allowed(list, "ERP.example.com.", &["93.184.216.34"]));
        assert!(allowed(list, "a.shop.example", &["93.184.216.34"]));
        assert!(!allowed(list, "shop.example", &["93.184.216.34"]));
        assert!(!allowed(list, "evilshop.example", &["93.184.216.34"]));
        assert!(allowed(list, "intern", &["10.200.0.1"]));
        assert!(!allowed(list, "intern", &["10.200.0.1", "11.0.0.1"]));
        assert!(allowed(list, "[::1]", &["::1"]));
        // A listed name may still not lead to a cloud's metadata.
        assert!(!allowed(list, "erp.example.com", &["169.254.169.254"]));
        assert!(allowed("169.254.169.254", "169.254.169.254", &["169.254.169.254"]));
        assert!(allowed("0.0.0.0/0", "x", &["1.2.3.4"]));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["a b", "10.0.0.0/33", "*.", "http://x", "x/8"] {
            assert!(AllowedHosts::parse(wrong).is_err(), "{wrong}");
        }
    }
}
