"""Put trained models to work on pictures, folders and videos."""
