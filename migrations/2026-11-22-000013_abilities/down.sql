DROP TABLE abilities;
